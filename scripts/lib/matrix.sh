# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# matrix.sh - sourced by scripts/test-matrix, after install.sh: how a Debian suite gets into a folder,
# the work tree into the suite, and a command into both.
#
# Set by the caller: ROOT = the work tree, MATRIX_DIR = where the suites are kept.

DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
TREE=srv/invigilator
CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt

suite_root() { say "$MATRIX_DIR/$1"; }
suite_stamp() { say "$MATRIX_DIR/$1.done"; }

# archive_of pattern: where this machine's apt gets Debian's own suites of such a name from, and
# whether it trusts that without a signature; a tab between.
archive_of() {
    local suite uri components trusted
    while IFS=$'\t' read -r suite uri components _ trusted; do
        # shellcheck disable=SC2053  # it is a pattern
        if [[ $suite == $1 && "$components " == *" main "* ]] && is_own_archive "$uri"; then
            printf '%s\t%s\n' "$uri" "$trusted"
            return
        fi
    done < <(apt_sources | sed 's/\t\t/\t-\t/')
    return 1
}

# A snapshot of testing may be older than its Release file says that it is good for; that of a
# release has no such date.
expires() { [ "$1" = testing ]; }

# source_text suite pattern: an entry of sources.list.d for it, nothing when this machine has none.
source_text() {
    local archive uri trusted
    archive=$(archive_of "$2") || return 0
    IFS=$'\t' read -r uri trusted <<< "$archive"
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n' "$uri" "$1"
    printf 'Signed-By: %s\n' "$DEBIAN_KEYRING"
    [ -z "$trusted" ] || printf 'Trusted: %s\n' "$trusted"
    ! expires "$1" || printf 'Check-Valid-Until: no\n'
    printf '\n'
}

# What is lost by a crash of this machine is made anew; so nothing waits for the disk.
write_settings() {
    local suite=$1 etc
    etc=$(suite_root "$suite")/etc
    rm -f "$etc/apt/sources.list"
    {
        source_text "$suite" '!(*-*)'
        expires "$suite" || source_text "$suite-updates" '*-updates'
        expires "$suite" || source_text "$suite-security" '*-security'
    } > "$etc/apt/sources.list.d/debian.sources"
    printf 'force-unsafe-io\n' > "$etc/dpkg/dpkg.cfg.d/matrix"
    printf '127.0.0.1 localhost\n::1 localhost\n' > "$etc/hosts"
}

# In namespaces of its own, so that nothing stays mounted in what may have to be removed.
run_debootstrap() {
    local archive uri trusted
    local -a check=(--force-check-gpg "--keyring=$DEBIAN_KEYRING")
    archive=$(archive_of '!(*-*)') ||
        fail "no source in $APT_DIR is Debian's own: cannot tell where $1 is"
    IFS=$'\t' read -r uri trusted <<< "$archive"
    [ "$trusted" != yes ] || check=(--no-check-gpg)
    setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc \
        debootstrap --variant=minbase "${check[@]}" "$1" "$(suite_root "$1")" "$uri"
}

remove_suite() {
    rm -f "$(suite_stamp "$1")"
    rm -rf --one-file-system "$(suite_root "$1")"
}

# bootstrap suite: unless a finished one is there.
bootstrap() {
    [ ! -e "$(suite_stamp "$1")" ] || return 0
    remove_suite "$1"
    run_debootstrap "$1"
    write_settings "$1"
    touch "$(suite_stamp "$1")"
}

# Everything that is not ignored, as it lies there now, committed or not.
tree_files() {
    git -c safe.directory="$ROOT" -C "$ROOT" \
        ls-files -z --cached --others --exclude-standard --deduplicate
}

# copy_tree suite: what is equal keeps its date, so that a build there goes on from where it was; what
# was built or installed there stays, and what is gone here goes there.
copy_tree() {
    local to file
    local -A here=()
    to=$(suite_root "$1")/$TREE
    while IFS= read -r -d '' file; do
        [ -f "$ROOT/$file" ] || continue
        here[$file]=1
        cmp -s "$ROOT/$file" "$to/$file" ||
            install -D -m "$(file_mode "$ROOT/$file")" "$ROOT/$file" "$to/$file"
    done < <(tree_files)
    while IFS= read -r -d '' file; do
        [ -n "${here[$file]:-}" ] || rm -f "$to/$file"
    done < <(find "$to" \( -name 'build*' -o -name node_modules \) -prune -o -type f -printf '%P\0')
}

file_mode() { if [ -x "$1" ]; then say 755; else say 644; fi; }

# Builds that a run of all tests must not go on from.
remove_builds() { rm -rf "$(suite_root "$1")/$TREE"/build*; }

# host_environment: what programs are told of this machine's way out, NAME=value with a NUL behind each.
host_environment() {
    local name
    while IFS= read -r name; do
        case ${name,,} in
            http_proxy | https_proxy | ftp_proxy | all_proxy | no_proxy | npm_config_registry)
                printf '%s=%s\0' "$name" "${!name}"
                ;;
        esac
    done < <(compgen -e)
    printf '%s\0' APT_CONFIG=/run/matrix/apt.conf NODE_EXTRA_CA_CERTS=/run/matrix/certificates \
        npm_config_cafile=/run/matrix/certificates npm_config_userconfig=/run/matrix/npmrc \
        npm_config_globalconfig=/run/matrix/npmrc-global
}

# host_apt suite: apt's proxies, and whom it believes.
host_apt() {
    apt-config dump | grep -E '^Acquire::(http|https|ftp)::([^:]+::)*Proxy ' || true
    say 'Acquire::https::CaInfo "/run/matrix/certificates";'
}

npm_file() {
    local file
    file=$(npm config get "$1" 2> /dev/null || true)
    [ ! -f "$file" ] || cat "$file"
}

host_certificates() {
    local file
    for file in "$CA_BUNDLE" "${SSL_CERT_FILE:-}" "${NODE_EXTRA_CA_CERTS:-}" \
        "$(npm config get cafile 2> /dev/null || true)"; do
        [ ! -f "$file" ] || realpath "$file"
    done | sort -u | xargs -r -d '\n' cat
}

# write_host DIR: the above as files, for the time that packages are installed.
write_host() {
    host_environment > "$1/environment"
    host_apt > "$1/apt.conf"
    host_certificates > "$1/certificates"
    npm_file userconfig > "$1/npmrc"
    npm_file globalconfig > "$1/npmrc-global"
}

# enter suite host|loopback command...: becomes that command, in the suite, in the work tree. Whatever
# it starts ends with it, and with the process that this one is a child of.
enter() {
    local suite=$1 network=$2
    local -a namespaces=(--mount --pid --fork --kill-child)
    shift 2
    [ "$network" = host ] || namespaces+=(--net)
    exec setpriv --pdeathsig KILL unshare "${namespaces[@]}" \
        bash "$ROOT/scripts/lib/matrix-enter.sh" "$(suite_root "$suite")" "$network" "$@" 8>&- 9>&-
}
