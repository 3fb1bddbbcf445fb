/* SPDX-License-Identifier: Apache-2.0
 *
 * become.c - the rights of the broker's user. Mosquitto gives up those of root before it loads a
 * plugin: a key file that root can read may be closed to the broker.
 */
#define _DEFAULT_SOURCE /* initgroups */

#include "setting.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

bool tool_setting_become(const char *user)
{
    const struct passwd *entry;

    if (geteuid() != 0) {
        return true;
    }
    entry = getpwnam(user);
    return entry != NULL &&
           (entry->pw_uid == 0 || (initgroups(user, entry->pw_gid) == 0 &&
                                   setegid(entry->pw_gid) == 0 && seteuid(entry->pw_uid) == 0));
}
