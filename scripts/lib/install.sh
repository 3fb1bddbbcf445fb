# shellcheck shell=bash disable=SC2034  # the package lists are for those who source this
# SPDX-License-Identifier: Apache-2.0
#
# install.sh - sourced by the scripts beside it: which Debian packages are needed for what, and how
# they get onto this machine. Only what is missing is installed, and it is said before.
#
# Set by the caller: INSTALL_MODE = ask | yes | no.

BUILD_PACKAGES=(cmake ninja-build gcc libc6-dev 'pkg-config|pkgconf' libjwt-dev libjson-c-dev
    uthash-dev libssl-dev libsqlite3-dev libhiredis-dev mosquitto-dev libmosquitto-dev)
RUN_PACKAGES=(mosquitto mosquitto-clients openssl ca-certificates)
TEST_PACKAGES=(libcmocka-dev 'redis-server|valkey-server' nginx chromium dpkg-dev file iproute2 gnuplot-nox)
TEST_NODE_FOLDERS=(tests bench examples/exam examples/nextjs)

# Built from one source, so of one version; 2.0.11 (Debian 12) comes without WebSockets.
BROKER_PACKAGES=(mosquitto mosquitto-dev libmosquitto-dev libmosquitto1 mosquitto-clients)
BROKER_VERSION_MIN=2.0.15
NODE_VERSION_MIN=18

APT_DIR=${INVIG_APT_DIR:-/etc/apt}
BACKPORTS_FILE=$APT_DIR/sources.list.d/invigilator-backports.sources
POLICY_FILE=/usr/sbin/policy-rc.d

say() { printf '%s\n' "$*"; }
fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

is_broker_package() {
    local name
    for name in "${BROKER_PACKAGES[@]}"; do
        [ "$name" != "$1" ] || return 0
    done
    return 1
}

is_new_enough() {
    ! is_broker_package "$1" || dpkg --compare-versions "$2" ge "$BROKER_VERSION_MIN"
}

# is_installed 'name|other name': one of them is there, in a version that serves.
is_installed() {
    local name status version
    local -a names
    IFS='|' read -ra names <<< "$1"
    for name in "${names[@]}"; do
        read -r status version < <(
            dpkg-query -W -f='${db:Status-Status} ${Version}\n' "$name" 2> /dev/null
        ) || continue
        [ "$status" != installed ] || ! is_new_enough "$name" "$version" || return 0
    done
    return 1
}

# Any node that is new enough will do, wherever it came from.
has_node() {
    command -v npm > /dev/null && command -v node > /dev/null &&
        [ "$(node -p 'process.versions.node.split(".")[0]')" -ge "$NODE_VERSION_MIN" ]
}

# missing_packages package...: those to install, one a line.
missing_packages() {
    local package
    for package in "$@"; do
        is_installed "$package" || say "${package%%|*}"
    done
    has_node || printf '%s\n' nodejs npm
}

# os_release field: of the system this runs on.
os_release() (
    # shellcheck source=/dev/null
    . /etc/os-release
    say "${!1:-}"
)

is_debian_12() { [ "$(os_release ID):$(os_release VERSION_ID)" = debian:12 ]; }

# The suite that has a broker with WebSockets where the release's own has none.
backports_suite() { ! is_debian_12 || say "$(os_release VERSION_CODENAME)-backports"; }

# The sources are formatted as clang-format 14 does it; others differ, and the check is skipped.
format_package() { ! is_debian_12 || say clang-format; }

# Every enabled binary source of this machine, a line each, tabs between:
# suite, URI, components, Signed-By (lines joined by a backslash and n), Trusted.
apt_sources() {
    local file
    for file in "$APT_DIR"/sources.list "$APT_DIR"/sources.list.d/*.list; do
        [ ! -f "$file" ] || apt_sources_list "$file"
    done
    for file in "$APT_DIR"/sources.list.d/*.sources; do
        [ ! -f "$file" ] || apt_sources_deb822 "$file"
    done
}

# deb [option=value ...] URI suite component...
apt_sources_list() {
    awk '
    { sub(/#.*/, ""); options = "" }
    $1 != "deb" { next }
    match($0, /\[[^]]*\]/) {
        options = substr($0, RSTART + 1, RLENGTH - 2)
        $0 = substr($0, 1, RSTART - 1) " " substr($0, RSTART + RLENGTH)
    }
    NF >= 3 {
        signed = trusted = components = ""
        count = split(options, words)
        for (i = 1; i <= count; i++) {
            if (sub(/^signed-by=/, "", words[i])) { signed = words[i]; gsub(/,/, " ", signed) }
            if (sub(/^trusted=/, "", words[i])) trusted = words[i]
        }
        for (i = 4; i <= NF; i++) components = components " " $i
        print $3 "\t" $2 "\t" components " \t" signed "\t" trusted
    }' "$1"
}

# Stanzas of "Field: values", continued on lines that begin with a blank.
apt_sources_deb822() {
    awk '
    function flush(   uris, suites, i, j, n, m) {
        if ((" " field["types"] " ") ~ /[ \t]deb[ \t]/ &&
            tolower(field["enabled"]) !~ /^(no|false|without|off|disable|0)$/) {
            n = split(field["uris"], uris)
            m = split(field["suites"], suites)
            for (i = 1; i <= n; i++)
                for (j = 1; j <= m; j++)
                    print suites[j] "\t" uris[i] "\t " field["components"] " \t" \
                        field["signed-by"] "\t" field["trusted"]
        }
        delete field
        name = ""
    }
    /^#/ { next }
    /^[ \t]*$/ { flush(); next }
    /^[ \t]/ {
        if (name == "signed-by") { field[name] = field[name] "\\n" $0; next }
        field[name] = field[name] " " $0
        next
    }
    match($0, /^[^:]+:/) {
        name = tolower(substr($0, 1, RLENGTH - 1))
        value = substr($0, RLENGTH + 1)
        gsub(/^[ \t]+|[ \t]+$/, "", value)
        field[name] = value
    }
    END { flush() }' "$1"
}

# Says yes for a URI that apt knows to hold the distribution itself, not a third party's packages.
is_own_archive() {
    # shellcheck disable=SC2016  # apt-get fills these in
    apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 2> /dev/null |
        grep -qxF -e "Debian ${1%/}/" -e "Debian ${1%/}"
}

# The entry of apt_sources for the release's own archive: of several, the first that is Debian's.
own_source() {
    local suite=$1 entries entry uri
    entries=$(apt_sources | awk -F '\t' -v suite="$suite" '$1 == suite && $3 ~ / main /')
    while IFS= read -r entry; do
        uri=$(cut -f 2 <<< "$entry")
        if is_own_archive "$uri"; then
            say "$entry"
            return
        fi
    done <<< "$entries"
    say "${entries%%$'\n'*}"
}

backports_text() {
    local suite=$1 entry uri signed trusted
    entry=$(own_source "${suite%-backports}")
    [ -n "$entry" ] || return 1
    uri=$(cut -f 2 <<< "$entry")
    signed=$(cut -f 4 <<< "$entry")
    trusted=$(cut -f 5 <<< "$entry")
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n' "$uri" "$suite"
    [ -z "$signed" ] || printf 'Signed-By:%b\n' " $signed"
    [ -z "$trusted" ] || printf 'Trusted: %s\n' "$trusted"
}

has_source() {
    apt_sources | awk -F '\t' -v suite="$1" '$1 == suite && $3 ~ / main / { found = 1 }
        END { exit !found }'
}

add_backports() {
    local text
    text=$(backports_text "$1") ||
        fail "no source in $APT_DIR serves ${1%-backports} main: cannot tell where $1 is"
    as_root tee "$BACKPORTS_FILE" > /dev/null <<< "$text"
    if ! apt_update; then
        as_root rm -f "$BACKPORTS_FILE"
        fail "$1 cannot be had from where this machine gets ${1%-backports}"
    fi
}

apt_update() { as_root apt-get update -q; }

# guarded_services: those that a new package would start, as a pattern of sh; those of packages that
# were there before are left alone.
guarded_services() {
    local package
    local -a names=()
    for package in mosquitto redis-server valkey-server; do
        dpkg-query -W "$package" > /dev/null 2>&1 || names+=("$package" "$package.service")
    done
    [ "${#names[@]}" -eq 0 ] || (IFS='|' && say "${names[*]}")
}

# A new broker or server of state would start, and take port 1883 or 6379: Debian's hook for such
# questions says no for it while this runs.
guard_service() {
    local pattern
    pattern=$(guarded_services)
    [ ! -e "$POLICY_FILE" ] && [ -n "$pattern" ] || return 0
    trap 'as_root rm -f "$POLICY_FILE"' EXIT
    as_root tee "$POLICY_FILE" > /dev/null << POLICY
#!/bin/sh
case "\$1" in $pattern) exit 101 ;; esac
exit 0
POLICY
    as_root chmod 755 "$POLICY_FILE"
}

# In a subshell, so that the hook goes whatever happens.
apt_install() (
    guard_service
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "$@"
)

# wanted_names suite package...: as apt-get takes them, the broker's from the given suite.
wanted_names() {
    local suite=$1 package
    shift
    for package in "$@"; do
        if [ -n "$suite" ] && is_broker_package "$package"; then
            say "$package/$suite"
        else
            say "$package"
        fi
    done
}

may_install() {
    [ "$(id -u)" -ne 0 ] || return 0
    command -v sudo > /dev/null || fail "needs root, and there is no sudo: run it as root"
    [ "$INSTALL_MODE" != yes ] || return 0
    [ -t 0 ] || fail "nobody is there to ask: run it with --yes, or install them yourself"
    local answer
    read -r -p "Install them now with apt-get? [y/N] " answer
    [[ $answer == [yY]* ]]
}

has_broker_package() {
    local package
    for package in "$@"; do
        ! is_broker_package "$package" || return 0
    done
    return 1
}

# install_packages package...: sees to it that they, and Node with npm, are there; ends the script
# when they are not.
install_packages() {
    local suite="" new_source=no
    local -a missing wanted
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    say "Missing Debian packages: ${missing[*]}"
    [ "$INSTALL_MODE" != no ] || exit 1
    command -v apt-get > /dev/null || fail "this is no Debian or Ubuntu: install them yourself"

    if has_broker_package "${missing[@]}"; then
        suite=$(backports_suite)
        # The library that both need, or apt would keep the older one.
        [ -z "$suite" ] || missing+=(libmosquitto1)
    fi
    if [ -n "$suite" ] && ! has_source "$suite"; then
        new_source=yes
        say "Mosquitto with WebSockets comes from $suite: $BACKPORTS_FILE will be added."
    fi
    may_install || fail "nothing was installed"

    [ "$new_source" = no ] || add_backports "$suite"
    mapfile -t wanted < <(wanted_names "$suite" "${missing[@]}")
    # Package lists may be absent or too old: then once more with new ones.
    if [ "$new_source" = yes ]; then
        apt_install "${wanted[@]}"
    else
        apt_install "${wanted[@]}" || { apt_update && apt_install "${wanted[@]}"; }
    fi
}

# install_node_packages ROOT DIR...: the Node packages of each, exactly as its lock file has them;
# without those that are only faster.
install_node_packages() {
    local root=$1 dir
    shift
    for dir in "$@"; do
        [ ! "$root/$dir/node_modules/.package-lock.json" -nt "$root/$dir/package-lock.json" ] || continue
        [ "$INSTALL_MODE" != no ] || fail "$dir/node_modules is missing: run 'npm ci --omit=optional' in $dir"
        say "Installing the Node packages of $dir/package-lock.json"
        (cd "$root/$dir" && npm ci --omit=optional --no-audit --no-fund --loglevel=error)
    done
}
