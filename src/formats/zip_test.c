/* zip_test.c - archives of Python's zipfile are read; ours come back the same; damaged ones are
 * refused. */
#include "support/check.h"
#include "formats/zip.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- help ------------------------------------------------------------------------------------ */
/* A file of testdata/; freed by unload(). */
static tn__file load(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "src/formats/testdata/%s", name);
    tn__file file;
    CHECK_OK(tn__file_read(path, 1 << 24, &file));
    return file;
}

static void check_member(tn__zip *zip, const char *name, const void *data, size_t size)
{
    size_t index;
    if (!tn__zip_find(zip, name, &index))
        fail_msg("no member '%s'", name);
    assert_int_equal(tn__zip_member_at(zip, index)->size, size);
    tn__bytes read;
    CHECK_OK(tn__zip_check(zip, index));
    CHECK_OK(tn__zip_read(zip, index, &read));
    assert_int_equal(read.size, size);
    if (size)
        assert_memory_equal(read.data, data, size);
    tn__bytes_free(&read);
}

/* What make_archives.py calls TEXT. */
static tn__bytes squares(void)
{
    tn__bytes text = { 0 };
    for (int i = 0; i < 300; i++) {
        char line[64];
        int size = snprintf(line, sizeof line, "%d squared is %d\n", i, i * i);
        CHECK_OK(tn__bytes_append(&text, line, (size_t)size));
    }
    return text;
}

static void check_text_members(tn__zip *zip)
{
    tn__bytes text = squares();
    check_member(zip, "stored.txt", "kept as it is", 13);
    check_member(zip, "deflated.txt", text.data, text.size);
    tn__bytes_free(&text);
}

/* --- reading what zipfile wrote -------------------------------------------------------------- */
static void archives_of_every_shape_are_read(void **state)
{
    (void)state;
    static const char *const names[] = { "zip_plain.zip",       "zip_comment.zip",
                                         "zip_prefix.zip",      "zip_suffix.zip",
                                         "zip_descriptors.zip", "zip_zip64_end.zip" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        tn__file file = load(names[i]);
        tn__zip *zip;
        CHECK_OK(tn__zip_open(file.span, NULL, &zip));
        assert_int_equal(tn__zip_count(zip), 5);
        check_text_members(zip);
        check_member(zip, "folder/", "", 0);
        check_member(zip, "folder/empty", "", 0);
        check_member(zip, "folder/empty.deflated", "", 0);
        size_t index;
        assert_false(tn__zip_find(zip, "folder", &index));
        assert_false(tn__zip_find(zip, "", &index));
        tn__zip_close(zip);
        tn__file_close(&file);
    }
}

static void zip64_members_are_read(void **state)
{
    (void)state;
    static const char *const names[] = { "zip_zip64.zip", "zip_zip64_descriptors.zip" };
    for (int i = 0; i < 2; i++) {
        tn__file file = load(names[i]);
        tn__zip *zip;
        CHECK_OK(tn__zip_open(file.span, NULL, &zip));
        assert_int_equal(tn__zip_count(zip), 2);
        check_text_members(zip);
        tn__zip_close(zip);
        tn__file_close(&file);
    }
}

static void an_empty_archive_has_no_members(void **state)
{
    (void)state;
    tn__file file = load("zip_empty.zip");
    tn__zip *zip;
    CHECK_OK(tn__zip_open(file.span, NULL, &zip));
    assert_int_equal(tn__zip_count(zip), 0);
    size_t index;
    assert_false(tn__zip_find(zip, "x", &index));
    tn__zip_close(zip);
    tn__zip_close(NULL);
    tn__file_close(&file);
}

static void names_in_utf8_are_found(void **state)
{
    (void)state;
    tn__file file = load("zip_utf8.zip");
    tn__zip *zip;
    CHECK_OK(tn__zip_open(file.span, NULL, &zip));
    check_member(zip,
                 "gr\xc3\xb6\xc3\x9f"
                 "e/\xe6\xa8\xa1\xe5\x9e\x8b",
                 "data", 4);
    tn__zip_close(zip);
    tn__file_close(&file);
}

static void of_two_members_of_one_name_the_last_counts(void **state)
{
    (void)state;
    tn__file file = load("zip_double.zip");
    tn__zip *zip;
    CHECK_OK(tn__zip_open(file.span, NULL, &zip));
    assert_int_equal(tn__zip_count(zip), 2);
    check_member(zip, "double", "last", 4);
    tn__bytes first;
    CHECK_OK(tn__zip_read(zip, 0, &first));
    assert_memory_equal(first.data, "first", 5);
    tn__bytes_free(&first);
    tn__zip_close(zip);
    tn__file_close(&file);
}

static void stored_members_are_used_in_place(void **state)
{
    (void)state;
    tn__file file = load("zip_plain.zip");
    tn__zip *zip;
    CHECK_OK(tn__zip_open(file.span, NULL, &zip));
    tn__span place;
    CHECK_OK(tn__zip_member_in_place(zip, 0, &place));
    assert_true(place.data > file.span.data && place.data < file.span.data + file.span.size);
    assert_int_equal(place.size, 13);
    assert_memory_equal(place.data, "kept as it is", 13);
    assert_int_equal(tn__zip_member_in_place(zip, 1, &place), TN_FAILED_PRECONDITION);
    CHECK_ERROR(TN_FAILED_PRECONDITION, "'deflated.txt' is compressed");
    tn__zip_close(zip);
    tn__file_close(&file);
}

/* --- refusing -------------------------------------------------------------------------------- */
/* Opens the file and reads its member of that index: one of both must give the error. */
static void check_refused(const char *name, size_t index, tn_status kind, const char *text)
{
    tn__file file = load(name);
    tn__zip *zip;
    tn__bytes read = { 0 };
    tn_status status = tn__zip_open(file.span, NULL, &zip);
    if (status == TN_OK)
        status = tn__zip_read(zip, index, &read);
    assert_int_equal(status, kind);
    CHECK_ERROR(kind, text);
    assert_null(read.data);
    if (zip) {
        assert_int_equal(tn__zip_check(zip, index), kind);
        CHECK_ERROR(kind, text);
    }
    tn__zip_close(zip);
    tn__file_close(&file);
}

static void what_is_damaged_or_hostile_is_named(void **state)
{
    (void)state;
    check_refused("make_archives.py", 0, TN_DATA_LOSS, "not a zip archive");
    check_refused("zip_damaged.zip", 0, TN_DATA_LOSS, "'stored.txt' is damaged: its CRC-32");
    check_refused("zip_renamed.zip", 0, TN_DATA_LOSS, "'name' has another name in its own header");
    check_refused("zip_overlap.zip", 0, TN_DATA_LOSS, "'aa' and 'aa' overlap");
    check_refused("zip_lie.zip", 0, TN_DATA_LOSS, "'bomb': 7 bytes cannot decode to 1073741824");
}

static void what_cannot_be_decoded_is_named(void **state)
{
    (void)state;
    check_refused("zip_encrypted.zip", 0, TN_UNIMPLEMENTED, "'secret' is encrypted");
    check_refused("zip_methods.zip", 1, TN_UNIMPLEMENTED,
                  "'bz' is compressed with bzip2 (method 12)");
    check_refused("zip_methods.zip", 2, TN_UNIMPLEMENTED,
                  "'xz' is compressed with lzma (method 14)");
    tn__file file = load("zip_methods.zip");
    tn__zip *zip;
    CHECK_OK(tn__zip_open(file.span, NULL, &zip));
    check_member(zip, "plain", "plain", 5);
    tn__zip_close(zip);
    tn__file_close(&file);
}

static void decoded_bytes_are_limited(void **state)
{
    (void)state;
    tn__file file = load("zip_bomb.zip");
    tn__zip *zip;
    tn__bytes read;
    CHECK_OK(tn__zip_open(file.span, &(tn__zip_limits){ .decoded = 1 << 20 }, &zip));
    assert_int_equal(tn__zip_read(zip, 0, &read), TN_RESOURCE_EXHAUSTED);
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "'zeros' has 4194304 bytes");
    CHECK_OK(tn__zip_check(zip, 0)); /* keeps nothing */
    tn__zip_close(zip);
    CHECK_OK(tn__zip_open(file.span, &(tn__zip_limits){ .decoded = 4 << 20 }, &zip));
    for (int i = 0; i < 3; i++) { /* one member counts once */
        CHECK_OK(tn__zip_read(zip, 0, &read));
        assert_int_equal(read.size, 4 << 20);
        tn__bytes_free(&read);
    }
    tn__zip_close(zip);
    tn__file_close(&file);
}

static void all_members_together_are_limited(void **state)
{
    (void)state;
    tn__file file = load("zip_plain.zip");
    tn__zip *zip;
    tn__bytes read;
    CHECK_OK(tn__zip_open(file.span, &(tn__zip_limits){ .decoded = 5000 }, &zip));
    uint64_t text = tn__zip_member_at(zip, 1)->size;
    tn__zip_close(zip);
    CHECK_OK(tn__zip_open(file.span, &(tn__zip_limits){ .decoded = text + 12 }, &zip));
    CHECK_OK(tn__zip_read(zip, 1, &read));
    tn__bytes_free(&read);
    assert_int_equal(tn__zip_read(zip, 0, &read), TN_RESOURCE_EXHAUSTED);
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "over the limit");
    tn__zip_close(zip);
    assert_int_equal(tn__zip_open(file.span, &(tn__zip_limits){ .members = 4 }, &zip),
                     TN_RESOURCE_EXHAUSTED);
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "more than 4 members");
    tn__file_close(&file);
}

/* Whatever the bytes are: an error, or members that really have the size and sum they say. */
static void read_anything(tn__span bytes)
{
    tn__zip *zip;
    if (tn__zip_open(bytes, &(tn__zip_limits){ .decoded = 1 << 24 }, &zip) == TN_OK)
        for (size_t i = 0; i < tn__zip_count(zip); i++) {
            tn__bytes read;
            tn__span place;
            if (tn__zip_read(zip, i, &read) == TN_OK)
                assert_int_equal(read.size, tn__zip_member_at(zip, i)->size);
            tn__bytes_free(&read);
            tn__fail_clear();
            if (tn__zip_member_in_place(zip, i, &place) == TN_OK && place.size)
                assert_true(place.data + place.size <= bytes.data + bytes.size);
            tn__fail_clear();
        }
    tn__zip_close(zip);
    tn__fail_clear();
}

static void no_mutation_or_truncation_is_believed(void **state)
{
    (void)state;
    static const char *const names[] = { "zip_plain.zip", "zip_zip64_end.zip",
                                         "zip_zip64_descriptors.zip", "zip_utf8.zip" };
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        tn__file file = load(names[n]);
        uint8_t *bytes = malloc(file.span.size);
        assert_non_null(bytes);
        memcpy(bytes, file.span.data, file.span.size);
        for (size_t i = 0; i < file.span.size; i++) {
            static const uint8_t changes[] = { 0x01, 0x80, 0xff };
            for (size_t c = 0; c < sizeof changes; c++) {
                bytes[i] ^= changes[c];
                read_anything((tn__span){ bytes, file.span.size });
                bytes[i] = file.span.data[i];
            }
            uint8_t *cut = malloc(i + 1); /* of that size, so that a step too far is seen */
            assert_non_null(cut);
            memcpy(cut, bytes, i);
            read_anything((tn__span){ cut, i });
            free(cut);
        }
        free(bytes);
        tn__file_close(&file);
    }
}

/* --- writing --------------------------------------------------------------------------------- */
/* An output that cannot go back, and that refuses what goes beyond `room`. */
typedef struct {
    tn__bytes bytes;
    size_t room;
} pipe_output;

static tn_status pipe_write(void *self, const void *data, size_t size)
{
    pipe_output *pipe = self;
    if (size > pipe->room - pipe->bytes.size)
        return tn__fail(TN_RESOURCE_EXHAUSTED, "the pipe is full");
    return tn__bytes_append(&pipe->bytes, data, size);
}

static tn_status pipe_commit(void *self)
{
    (void)self;
    return TN_OK;
}

static void pipe_abort(void *self)
{
    (void)self;
}

static const tn__writer_calls pipe_calls = { pipe_write, NULL, NULL, pipe_commit, pipe_abort };

static tn_status write_pieces(tn__zip_writer *zip, const char *name, tn__zip_method method)
{
    TN_TRY(tn__zip_begin(zip, name, method));
    for (int i = 0; i < 3000; i++) {
        char line[32];
        int size = snprintf(line, sizeof line, "%d,", i * i);
        TN_TRY(tn__zip_append(zip, line, (size_t)size));
    }
    return tn__zip_end(zip);
}

static tn_status write_inner(tn__zip_writer *zip)
{
    tn__writer *member;
    TN_TRY(tn__zip_member_writer(zip, "inner.h5", TN__ZIP_STORED, &member));
    bool back = tn__writer_goes_back(member);
    tn_status status = tn__write(member, "....header, then data", 21);
    if (status == TN_OK && back)
        status = tn__write_at(member, 0, "\x89HDF", 4);
    if (status == TN_OK)
        return tn__writer_commit(member);
    tn__writer_abort(member);
    return status;
}

static tn_status write_members(tn__zip_writer *zip)
{
    TN_TRY(tn__zip_add(zip, "metadata.json", TN__ZIP_STORED, "{}", 2));
    TN_TRY(tn__zip_add(zip, "packed", TN__ZIP_DEFLATED, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 31));
    TN_TRY(tn__zip_add(zip, "folder/", TN__ZIP_STORED, NULL, 0));
    TN_TRY(tn__zip_add(zip, "empty", TN__ZIP_DEFLATED, NULL, 0));
    TN_TRY(write_pieces(zip, "pieces", TN__ZIP_STORED));
    TN_TRY(write_pieces(zip, "deflated pieces", TN__ZIP_DEFLATED));
    TN_TRY(write_inner(zip));
    return tn__zip_add(zip, "\xc3\xbc", TN__ZIP_STORED, "u", 1);
}

/* The whole archive; frees nothing of `out`. */
static tn_status write_archive(tn__writer *out)
{
    tn__zip_writer *zip;
    TN_TRY(tn__zip_writer_open(out, &zip));
    tn_status status = write_members(zip);
    if (status == TN_OK)
        return tn__zip_finish(zip);
    tn__zip_writer_free(zip);
    return status;
}

static void check_archive(tn__span bytes, bool patched)
{
    tn__zip *zip;
    CHECK_OK(tn__zip_open(bytes, NULL, &zip));
    assert_int_equal(tn__zip_count(zip), 8);
    check_member(zip, "metadata.json", "{}", 2);
    check_member(zip, "packed", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 31);
    check_member(zip, "folder/", "", 0);
    check_member(zip, "empty", "", 0);
    check_member(zip, "inner.h5", patched ? "\x89HDFheader, then data" : "....header, then data",
                 21);
    check_member(zip, "\xc3\xbc", "u", 1);
    size_t stored, deflated;
    assert_true(tn__zip_find(zip, "pieces", &stored));
    assert_true(tn__zip_find(zip, "deflated pieces", &deflated));
    tn__bytes read;
    CHECK_OK(tn__zip_read(zip, stored, &read));
    assert_memory_equal(read.data, "0,1,4,9,16,", 11);
    check_member(zip, "deflated pieces", read.data, read.size);
    assert_true(tn__zip_member_at(zip, deflated)->stored_size < read.size);
    tn__bytes_free(&read);
    for (size_t i = 0; i < 8; i++) {
        tn__span place = { 0 };
        if (tn__zip_member_at(zip, i)->method == TN__ZIP_STORED)
            CHECK_OK(tn__zip_member_in_place(zip, i, &place));
        if (place.size)
            assert_int_equal((place.data - bytes.data) % 64, 0);
    }
    tn__zip_close(zip);
}

static void what_is_written_is_read_back_aligned(void **state)
{
    (void)state;
    tn__bytes bytes = { 0 };
    tn__writer *out;
    CHECK_OK(tn__writer_to_memory(&bytes, &out));
    CHECK_OK(write_archive(out));
    CHECK_OK(tn__writer_commit(out));
    check_archive(tn__bytes_span(&bytes), true);
    tn__bytes_free(&bytes);
}

static void the_same_content_gives_the_same_file(void **state)
{
    (void)state;
    tn__bytes bytes = { 0 };
    tn__writer *out;
    CHECK_OK(tn__writer_to_memory(&bytes, &out));
    CHECK_OK(write_archive(out));
    CHECK_OK(tn__writer_commit(out));
    const char *path = temporary_path("same.zip");
    CHECK_OK(tn__writer_open(path, false, &out));
    CHECK_OK(write_archive(out));
    CHECK_OK(tn__writer_commit(out));
    tn__file file;
    CHECK_OK(tn__file_read(path, 1 << 24, &file));
    assert_int_equal(file.span.size, bytes.size);
    assert_memory_equal(file.span.data, bytes.data, bytes.size);
    tn__file_close(&file);
    tn__bytes_free(&bytes);
}

static void an_output_that_cannot_go_back_gets_descriptors(void **state)
{
    (void)state;
    pipe_output pipe = { .room = SIZE_MAX };
    tn__writer *out;
    CHECK_OK(tn__writer_over(&pipe_calls, &pipe, &out));
    CHECK_OK(write_archive(out));
    CHECK_OK(tn__writer_commit(out));
    check_archive(tn__bytes_span(&pipe.bytes), false);
    tn__bytes_free(&pipe.bytes);
}

static void an_archive_behind_other_bytes_is_aligned_to_the_file(void **state)
{
    (void)state;
    tn__bytes bytes = { 0 };
    tn__writer *out;
    CHECK_OK(tn__writer_to_memory(&bytes, &out));
    CHECK_OK(tn__write(out, "a stub before the archive", 25));
    CHECK_OK(write_archive(out));
    CHECK_OK(tn__writer_commit(out));
    check_archive(tn__bytes_span(&bytes), true);
    tn__bytes_free(&bytes);
}

static void names_that_cannot_be_are_refused_and_spoil_nothing(void **state)
{
    (void)state;
    tn__bytes bytes = { 0 };
    tn__writer *out;
    tn__zip_writer *zip;
    CHECK_OK(tn__writer_to_memory(&bytes, &out));
    CHECK_OK(tn__zip_writer_open(out, &zip));
    CHECK_OK(tn__zip_add(zip, "a", TN__ZIP_STORED, "1", 1));
    assert_int_equal(tn__zip_add(zip, "a", TN__ZIP_STORED, "2", 1), TN_ALREADY_EXISTS);
    CHECK_ERROR(TN_ALREADY_EXISTS, "there is a member 'a' already");
    static const char *const bad[] = {
        "", "\xff", "a\xc3", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(tn__zip_begin(zip, bad[i], TN__ZIP_STORED), TN_INVALID_ARGUMENT);
        CHECK_ERROR(TN_INVALID_ARGUMENT, "cannot be a member's name");
    }
    CHECK_OK(tn__zip_add(zip, "\xf0\x9f\x98\x80", TN__ZIP_STORED, "2", 1));
    CHECK_OK(tn__zip_finish(zip));
    CHECK_OK(tn__writer_commit(out));
    tn__zip *read;
    CHECK_OK(tn__zip_open(tn__bytes_span(&bytes), NULL, &read));
    check_member(read, "a", "1", 1);
    check_member(read, "\xf0\x9f\x98\x80", "2", 1);
    tn__zip_close(read);
    tn__bytes_free(&bytes);
}

static void an_unfinished_archive_is_never_ended(void **state)
{
    (void)state;
    tn__bytes bytes = { 0 };
    tn__writer *out, *member;
    tn__zip_writer *zip;
    CHECK_OK(tn__writer_to_memory(&bytes, &out));
    CHECK_OK(tn__zip_writer_open(out, &zip));
    assert_int_equal(tn__zip_append(zip, "x", 1), TN_INTERNAL);
    CHECK_ERROR(TN_INTERNAL, "no member is open");
    CHECK_OK(tn__zip_begin(zip, "open", TN__ZIP_STORED));
    assert_int_equal(tn__zip_begin(zip, "second", TN__ZIP_STORED), TN_INTERNAL);
    CHECK_ERROR(TN_INTERNAL, "'open' is still open");
    assert_int_equal(tn__zip_finish(zip), TN_INTERNAL);
    CHECK_ERROR(TN_INTERNAL, "'open' is still open");
    CHECK_OK(tn__zip_writer_open(out, &zip));
    CHECK_OK(tn__zip_member_writer(zip, "given up", TN__ZIP_STORED, &member));
    CHECK_OK(tn__write(member, "half", 4));
    tn__writer_abort(member);
    assert_int_equal(tn__zip_finish(zip), TN_FAILED_PRECONDITION);
    CHECK_ERROR(TN_FAILED_PRECONDITION, "an earlier write to the archive failed");
    tn__writer_abort(out);
    tn__zip_writer_free(NULL);
}

static void a_full_output_fails_wherever_it_fills(void **state)
{
    (void)state;
    pipe_output pipe = { .room = SIZE_MAX };
    tn__writer *out;
    CHECK_OK(tn__writer_over(&pipe_calls, &pipe, &out));
    CHECK_OK(write_archive(out));
    tn__writer_abort(out);
    size_t whole = pipe.bytes.size;
    for (size_t room = 0; room < whole; room += 1 + room / 40) {
        pipe.bytes.size = 0;
        pipe.room = room;
        CHECK_OK(tn__writer_over(&pipe_calls, &pipe, &out));
        assert_int_equal(write_archive(out), TN_RESOURCE_EXHAUSTED);
        CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "the pipe is full");
        assert_int_equal(tn__writer_commit(out), TN_FAILED_PRECONDITION);
        CHECK_ERROR(TN_FAILED_PRECONDITION, "an earlier write failed");
    }
    tn__bytes_free(&pipe.bytes);
}

/* The CRC is mended for every patch, wherever it is; the member's content is compared with a copy.
 */
static void patches_anywhere_in_a_stored_member_keep_its_sum(void **state)
{
    (void)state;
    enum { SIZE = 20000 };
    uint8_t copy[SIZE];
    tn__bytes bytes = { 0 };
    tn__writer *out, *member;
    tn__zip_writer *zip;
    CHECK_OK(tn__writer_to_memory(&bytes, &out));
    CHECK_OK(tn__zip_writer_open(out, &zip));
    CHECK_OK(tn__zip_member_writer(zip, "m", TN__ZIP_STORED, &member));
    uint32_t random = 1;
    for (size_t size = 0; size < SIZE;) {
        uint8_t piece[9000];
        random = random * 1664525 + 1013904223;
        size_t length = (random >> 8) % (random >> 30 ? 300 : 9000) + 1;
        length = length < SIZE - size ? length : SIZE - size;
        memset(piece, (int)(random >> 24), length);
        memcpy(copy + size, piece, length);
        CHECK_OK(tn__write(member, piece, length));
        size += length;
        size_t at = (random >> 4) % size, patched = size - at < 5000 ? size - at : 5000;
        memset(piece, (int)(random >> 16), patched);
        memcpy(copy + at, piece, patched);
        CHECK_OK(tn__write_at(member, at, piece, patched));
    }
    uint8_t back[100];
    CHECK_OK(tn__writer_read_at(member, 777, back, sizeof back));
    assert_memory_equal(back, copy + 777, sizeof back);
    CHECK_OK(tn__writer_commit(member));
    CHECK_OK(tn__zip_finish(zip));
    CHECK_OK(tn__writer_commit(out));
    tn__zip *read;
    CHECK_OK(tn__zip_open(tn__bytes_span(&bytes), NULL, &read));
    check_member(read, "m", copy, SIZE);
    tn__zip_close(read);
    tn__bytes_free(&bytes);
}

static void deflated_members_are_written_forward_only(void **state)
{
    (void)state;
    tn__bytes bytes = { 0 };
    tn__writer *out, *member;
    tn__zip_writer *zip;
    CHECK_OK(tn__writer_to_memory(&bytes, &out));
    CHECK_OK(tn__zip_writer_open(out, &zip));
    CHECK_OK(tn__zip_member_writer(zip, "m", TN__ZIP_DEFLATED, &member));
    assert_false(tn__writer_goes_back(member));
    CHECK_OK(tn__write(member, "abc", 3));
    assert_int_equal(tn__write_at(member, 0, "x", 1), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "out of order");
    CHECK_OK(tn__writer_commit(member));
    CHECK_OK(tn__zip_finish(zip));
    CHECK_OK(tn__writer_commit(out));
    tn__zip *read;
    CHECK_OK(tn__zip_open(tn__bytes_span(&bytes), NULL, &read));
    check_member(read, "m", "abc", 3);
    tn__zip_close(read);
    tn__bytes_free(&bytes);
}

static void more_members_than_16_bits_count_are_written_and_read(void **state)
{
    (void)state;
    tn__bytes bytes = { 0 };
    tn__writer *out;
    tn__zip_writer *zip;
    CHECK_OK(tn__writer_to_memory(&bytes, &out));
    CHECK_OK(tn__zip_writer_open(out, &zip));
    char name[16];
    for (int i = 0; i < 66000; i++) {
        snprintf(name, sizeof name, "%d", i);
        CHECK_OK(tn__zip_add(zip, name, TN__ZIP_STORED, name, strlen(name)));
    }
    CHECK_OK(tn__zip_finish(zip));
    CHECK_OK(tn__writer_commit(out));
    tn__zip *read;
    CHECK_OK(tn__zip_open(tn__bytes_span(&bytes), NULL, &read));
    assert_int_equal(tn__zip_count(read), 66000);
    check_member(read, "65999", "65999", 5);
    check_member(read, "0", "0", 1);
    tn__zip_close(read);
    tn__bytes_free(&bytes);
}

/* --- over 4 GB: half a minute of zeros, so only when TENON_SLOW_TESTS is set ----------------- */
typedef struct {
    int fd;
    uint64_t size;
} sparse_output;

static tn_status sparse_write(void *self, const void *data, size_t size)
{
    sparse_output *sparse = self;
    const uint8_t *bytes = data;
    bool zeros = bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
    off_t end = (off_t)(sparse->size + size);
    if (zeros ? ftruncate(sparse->fd, end) != 0
              : pwrite(sparse->fd, data, size, end - (off_t)size) != (ssize_t)size)
        return tn__fail(TN_UNKNOWN, "pwrite");
    sparse->size += size;
    return TN_OK;
}

static tn_status sparse_write_at(void *self, uint64_t offset, const void *data, size_t size)
{
    bool done = pwrite(((sparse_output *)self)->fd, data, size, (off_t)offset) == (ssize_t)size;
    return done ? TN_OK : tn__fail(TN_UNKNOWN, "pwrite");
}

static tn_status sparse_read_at(void *self, uint64_t offset, void *data, size_t size)
{
    bool done = pread(((sparse_output *)self)->fd, data, size, (off_t)offset) == (ssize_t)size;
    return done ? TN_OK : tn__fail(TN_UNKNOWN, "pread");
}

static const tn__writer_calls sparse_calls = { sparse_write, sparse_write_at, sparse_read_at,
                                               pipe_commit, pipe_abort };

static void write_large(tn__zip_writer *zip, const void *zeros, size_t size)
{
    tn__writer *member;
    CHECK_OK(tn__zip_member_writer(zip, "large", TN__ZIP_STORED, &member));
    for (int i = 0; i < 65; i++)
        CHECK_OK(tn__write(member, zeros, size));
    CHECK_OK(tn__write_at(member, 5, "five", 4));
    CHECK_OK(tn__writer_commit(member));
    CHECK_OK(tn__zip_add(zip, "behind", TN__ZIP_STORED, "here", 4));
    CHECK_OK(tn__zip_finish(zip));
}

static void members_over_4_gb_are_written_and_read(void **state)
{
    (void)state;
    if (!getenv("TENON_SLOW_TESTS"))
        skip();
    enum { PIECE = 64 << 20 };
    /* the archive stays where TENON_SLOW_TESTS_KEEP says, to be shown to other programs */
    const char *kept = getenv("TENON_SLOW_TESTS_KEEP");
    const char *path = kept ? kept : temporary_path("large.zip");
    sparse_output sparse = { .fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600) };
    assert_true(sparse.fd >= 0);
    tn__writer *out;
    tn__zip_writer *zip;
    CHECK_OK(tn__writer_over(&sparse_calls, &sparse, &out));
    CHECK_OK(tn__zip_writer_open(out, &zip));
    void *zeros = calloc(1, PIECE);
    assert_non_null(zeros);
    write_large(zip, zeros, PIECE);
    free(zeros);
    CHECK_OK(tn__writer_commit(out));
    close(sparse.fd);
    tn__file file;
    tn__zip *read;
    CHECK_OK(tn__file_map(path, &file));
    CHECK_OK(tn__zip_open(file.span, NULL, &read));
    assert_true(tn__zip_member_at(read, 0)->size == 65 * (uint64_t)PIECE);
    CHECK_OK(tn__zip_check(read, 0));
    check_member(read, "behind", "here", 4);
    tn__zip_close(read);
    tn__file_close(&file);
}

/* --- without memory -------------------------------------------------------------------------- */
static bool write_and_read(void *self)
{
    (void)self;
    tn__bytes bytes = { 0 }, read = { 0 };
    tn__writer *out;
    if (tn__writer_to_memory(&bytes, &out) != TN_OK)
        return false;
    if (write_archive(out) != TN_OK) {
        tn__writer_abort(out);
        return false;
    }
    tn__zip *zip = NULL;
    bool done = tn__writer_commit(out) == TN_OK &&
                tn__zip_open(tn__bytes_span(&bytes), NULL, &zip) == TN_OK &&
                tn__zip_check(zip, 5) == TN_OK && tn__zip_read(zip, 5, &read) == TN_OK;
    tn__zip_close(zip);
    tn__bytes_free(&bytes);
    tn__bytes_free(&read);
    return done;
}

static void archives_survive_refused_allocations(void **state)
{
    (void)state;
    check_allocation_failures(write_and_read, NULL);
    size_t before = live_allocations();
    check_allocation_failures(write_and_read, NULL);
    assert_int_equal(live_allocations(), before);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(archives_of_every_shape_are_read),
        cmocka_unit_test(zip64_members_are_read),
        cmocka_unit_test(an_empty_archive_has_no_members),
        cmocka_unit_test(names_in_utf8_are_found),
        cmocka_unit_test(of_two_members_of_one_name_the_last_counts),
        cmocka_unit_test(stored_members_are_used_in_place),
        cmocka_unit_test(what_is_damaged_or_hostile_is_named),
        cmocka_unit_test(what_cannot_be_decoded_is_named),
        cmocka_unit_test(decoded_bytes_are_limited),
        cmocka_unit_test(all_members_together_are_limited),
        cmocka_unit_test(no_mutation_or_truncation_is_believed),
        cmocka_unit_test(what_is_written_is_read_back_aligned),
        cmocka_unit_test(the_same_content_gives_the_same_file),
        cmocka_unit_test(an_output_that_cannot_go_back_gets_descriptors),
        cmocka_unit_test(an_archive_behind_other_bytes_is_aligned_to_the_file),
        cmocka_unit_test(names_that_cannot_be_are_refused_and_spoil_nothing),
        cmocka_unit_test(an_unfinished_archive_is_never_ended),
        cmocka_unit_test(a_full_output_fails_wherever_it_fills),
        cmocka_unit_test(patches_anywhere_in_a_stored_member_keep_its_sum),
        cmocka_unit_test(deflated_members_are_written_forward_only),
        cmocka_unit_test(more_members_than_16_bits_count_are_written_and_read),
        cmocka_unit_test(members_over_4_gb_are_written_and_read),
        cmocka_unit_test(archives_survive_refused_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
