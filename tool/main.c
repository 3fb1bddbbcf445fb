/* SPDX-License-Identifier: Apache-2.0
 *
 * main.c - invigilator, the command-line tool.
 */
#include "main.h"

int main(int argc, char **argv)
{
    return tool_main(argc, argv);
}
