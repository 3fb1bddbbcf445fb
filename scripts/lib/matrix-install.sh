#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# matrix-install.sh - run by scripts/test-matrix in a suite, with the network there: installs what
# scripts/test would install, so that this can be run without a network.
# shellcheck disable=SC2034  # INSTALL_MODE is read by install.sh
set -euo pipefail
INSTALL_MODE=yes
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=scripts/lib/install.sh
. "$ROOT/scripts/lib/install.sh"

mapfile -t format < <(format_package)
install_packages "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" "${TEST_PACKAGES[@]}" "${format[@]}"
apt-get clean
install_node_packages "$ROOT" "${TEST_NODE_FOLDERS[@]}"
