# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# process.sh - sourced: programs that a script starts in the background, and how they begin and end.

# program_of name: where it is; those of Debian's sbin are not in everybody's PATH.
program_of() { command -v "$1" || echo "/usr/sbin/$1"; }

# await_line FILE PATTERN PID: returns once a line of the file matches; with 1 when the process has
# ended before, or after 10 s.
await_line() {
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        ! grep -q "$2" "$1" || return 0
        kill -0 "$3" 2> /dev/null || return 1
        sleep 0.1
    done
    return 1
}

end_process() {
    local pid=$1 tries
    kill "$pid" 2> /dev/null || return 0
    for ((tries = 0; tries < 50; tries++)); do
        kill -0 "$pid" 2> /dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$pid" 2> /dev/null || true
}
