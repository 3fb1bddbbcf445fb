# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# port.sh - sourced: what is a port, and which ones of loopback are free.

# port_of option value: the port that the value names; 1 when it names none.
port_of() {
    local port=0
    [[ ! ${2:-} =~ ^[0-9]{1,5}$ ]] || port=$((10#$2))
    [ "$port" -ge 1 ] && [ "$port" -le 65535 ] || return 1
    echo "$port"
}

is_port_taken() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }

# Below the range from which the system takes ports for outgoing connections.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        is_port_taken "$port" || break
    done
    echo "$port"
}

# need_port option port: ends the script with a hint when somebody listens there.
need_port() {
    is_port_taken "$2" || return 0
    local hint="choose another with $1"
    if command -v systemctl > /dev/null && systemctl is-active --quiet mosquitto 2> /dev/null; then
        hint+=", or stop the system's own broker with 'sudo systemctl stop mosquitto'"
    fi
    fail "port $2 is in use: $hint"
}
