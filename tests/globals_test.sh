#!/bin/sh
# The library has no mutable globals: what is ambient hangs on a thread's context. The few that must be, each with its reason, stand
# below; every other variable that can be written (static, extern, thread-local or inside a function) is refused. So is a line
# below whose variable is gone.
#     globals_test.sh STATIC_LIBRARY
library=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export LC_ALL=C

# source file, variable, reason
cat >"$work/reasons" <<'END'
memory.c     allocator         the host's allocator, set before anything else is called
memory.c     kept              large blocks that were freed and wait for the next, under a lock
log.c        sink              where the host wants text, set before anything else is called
context.c    tn__current       the one thread-local pointer that leads to everything ambient
context.c    own_context       the thread's own context: finding it cannot fail for lack of memory
context.c    end_of_thread     the key through which a thread that ends gives its context up
context.c    once              makes that key
context.c    next_block        identities unique in the process, handed to threads in blocks
object.c     pool              blocks of threads that ended, and the contexts that are, under a lock
scope.c      the_memory_scope  one handle for all memory scopes: never changed, but handed out as one that could be
select.c     chosen            which instruction set's kernels run: found once, always the same
select.c     known             whether only the sums themselves are wanted: the same
parallel.c   pool              the process's threads, under a lock
parallel.c   most              how many threads there may be: found once, always the same
parallel.c   limit             that of the thread's context, which the kernels' room cannot see
onednn.c     library           oneDNN where it is on the machine, opened once; and the lock under which it is asked for what it keeps
frame.c      making            the lock under which functions are traced and layers called for the first time
losses.c     adding            the lock under which layers keep losses that their calls add
program.c    making            the lock under which a graph gets its cache of programs
signature.c  signatures        what the constant descriptors say, read once; every entry is set once
compile.c    making            the lock under which a model gets what trains it
step.c       making            the lock under which that gets its traced step
fit.c        stop_requests     tn_stop_training() may come from a signal handler, which may touch nothing but an atomic count
graph.c      process           the default graph of TensorFlow 1, which threads share, under a lock
classes.c    registered        classes of the program's own, under a lock: files name them on any thread
END

# Writable sections, without constants that the loader has to relocate, and without what sanitizers add.
objdump -t "$library" | awk '
    /file format/ { file = $1; sub(/\.o:$/, "", file) }
    { for (i = 3; i <= 4; i++) if ($i ~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ && $i !~ /^\.data\.rel\.ro/) print file, $NF }' |
    grep -vE ' (\.(data|bss|tdata|tbss)|__odr_asan|__unnamed_|\.L)|LASAN|Lubsan|__gnu_lto' |
    sed -E 's/ .*\.([a-z_][a-z_0-9]*)$/ \1/; s/\.[0-9]+$//' | sort -u >"$work/found"
[ -s "$work/found" ] || { echo "no variables found in $library"; exit 1; }
awk '{ print $1, $2 }' "$work/reasons" | sort -u >"$work/allowed"

bad=0
comm -23 "$work/found" "$work/allowed" >"$work/new"
comm -13 "$work/found" "$work/allowed" >"$work/gone"
if [ -s "$work/new" ]; then
    bad=1
    echo "variables that can be written (they belong in a context or an object; or say in tests/globals_test.sh why not):"
    sed 's/^/    /' "$work/new"
fi
if [ -s "$work/gone" ]; then
    bad=1
    echo "variables that tests/globals_test.sh gives a reason for and that are no more:"
    sed 's/^/    /' "$work/gone"
fi
echo "$(wc -l <"$work/found") variables, all but $(wc -l <"$work/new") with a reason"
exit "$bad"
