/* SPDX-License-Identifier: Apache-2.0
 *
 * main.h - the tool as a whole.
 */
#ifndef INVIGILATOR_TOOL_MAIN_H
#define INVIGILATOR_TOOL_MAIN_H

/* Runs the command that argv names; returns what the process ends with. */
int tool_main(int argc, char **argv);

#endif
