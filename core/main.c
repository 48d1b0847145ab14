// SPDX-License-Identifier: Apache-2.0
/* The program. Everything it does is in the commands of core/cli. */
#include <signal.h>

#include "cli/cli.h"

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* a peer that hangs up is an answer, not a death */
    return tw_cli_main(argc, argv);
}
