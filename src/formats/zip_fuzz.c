/* zip_fuzz.c - any bytes as an archive: opened, and every member decoded, checked, taken in place.
 */
#include "formats/zip.h"

static void read_member(tn__zip *zip, size_t index)
{
    tn__bytes read;
    tn__span place;
    tn_status status = tn__zip_read(zip, index, &read);
    tn__bytes_free(&read);
    if (status == TN_OK)
        status = tn__zip_check(zip, index);
    if (status == TN_OK)
        status = tn__zip_member_in_place(zip, index, &place);
    tn__fail_clear();
}

static void read_archive(tn__span bytes, bool salvage)
{
    tn__zip *zip;
    size_t index;
    tn__zip_limits limits = { .decoded = 1 << 24, .members = 1000, .salvage = salvage };
    if (tn__zip_open(bytes, &limits, &zip) == TN_OK)
        for (size_t i = 0; i < tn__zip_count(zip); i++) {
            read_member(zip, i);
            if (!tn__zip_find(zip, tn__zip_member_at(zip, i)->name, &index))
                __builtin_trap();
        }
    tn__zip_close(zip);
    tn__fail_clear();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_archive((tn__span){ data, size }, false);
    read_archive((tn__span){ data, size }, true);
    return 0;
}
