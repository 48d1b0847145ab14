// SPDX-License-Identifier: Apache-2.0
/* The program. Everything it does is in the commands of core/cli. */
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include "cli/cli.h"

/* Answers of brokers, a megabyte or two each, come and go by the thousand. Given back to the
 * kernel each time they cost a page fault for every page: 5 % of all processor time. */
static void keep_freed_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 8 << 20);
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

/* Whoever closed one of the three gets errors on it, and not a socket or a file of ours under its number. */
static void occupy_standard_files(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
    }
}

int main(int argc, char **argv)
{
    occupy_standard_files();
    keep_freed_memory();
    signal(SIGPIPE, SIG_IGN); /* a peer that hangs up is an answer, not a death */
    return tw_cli_main(argc, argv);
}
