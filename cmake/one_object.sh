#!/bin/sh
# The library as one object: its LTO objects compiled together, so that what one file asks of another needs no symbol and no relocation,
# each of which takes an object as much room as a few instructions. The compiler's assembly is then put so that the assembler can settle
# more by itself: what is only read stands in the section of the code, behind it, the library's functions are called by local names, and
# those of other libraries through one jump for each of them (but mem...(), which have no time to lose, and what the linker looks for).
# Out comes the same code twice: with the names of inner functions, for the tests of them, and without, for everybody else.
#     one_object.sh WITH_INNER_NAMES WITHOUT COMPILER FLAG... OBJECT...
named=$1 plain=$2 compiler=$3
shift 2
work=$named.parts
rm -rf "$work"
mkdir -p "$work" || exit 1
trap 'rm -rf "$work"' EXIT
export LC_ALL=C

"$@" -r -nostdlib -flto -flto-partition=one -flinker-output=nolto-rel -save-temps=obj -o "$work/whole.o" || exit 1
assembly=$(find "$work" -name '*.s')
[ -f "$assembly" ] || { echo "one_object.sh: no assembly, or several parts: $assembly" >&2; exit 1; }
sed -E 's/^\t\.section\t\.rodata.*/\t.text\t1/
        s/^(\t(call|j[a-z]+)\t)(tn_[A-Za-z0-9_]+)(@PLT)?$/\1.L\3/
        s/^(tn_[A-Za-z0-9_]+):$/\1:\n.L\1:/
        s/^\t\.set\t(tn_[A-Za-z0-9_]+),(.*)$/&\n\t.set\t.L\1,\2/' "$assembly" >"$work/local.s" &&
    awk '/^\t(call|jmp)\t[A-Za-z_][A-Za-z0-9_]*@PLT$/ && $2 !~ /^(mem|__)/ {
             sub(/@PLT$/, "", $2)
             outside[$2] = 1
             print "\t" $1 "\t.L" $2
             next
         }
         { print }
         END {
             print "\t.text"
             for (name in outside)
                 print ".L" name ":\n\tjmp\t" name "@PLT"
         }' "$work/local.s" >"$work/named.s" &&
    awk 'NR == FNR { if ($1 == ".hidden") inner[$2] = 1; next } !(($1 == ".hidden" || $1 == ".globl") && $2 in inner)' \
        "$work/named.s" "$work/named.s" >"$work/plain.s" &&
    "$compiler" -c "$work/named.s" -o "$named" && "$compiler" -c "$work/plain.s" -o "$plain" || exit 1
if nm "$plain" | grep ' U \.L'; then
    echo "one_object.sh: called, but not defined" >&2
    exit 1
fi
