/* One M-Bus meter at the far end of a pseudo-terminal, true to the wire: MBUS_METER BAUDRATE LENGTH.
 *
 * Characters have 11 bits. What the master writes occupies the wire from its arrival on; the meter answers every five
 * bytes (a short frame) with a long frame of LENGTH bytes, beginning 33 bit times after the request's last bit. Each
 * byte is handed over when its stop bit would end, on an absolute schedule. The first line on standard output names
 * the terminal; then there is one line an answer, with monotonic nanoseconds: the request's first byte came, the
 * answer's last byte was handed over. It ends when standard input does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define BITS 11
#define REQUEST 5
#define TURNAROUND_BITS 33
#define SPIN_NS 200000 /* a machine takes about that long to wake a process */

static int64_t now_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
}

static void wait_until(int64_t moment)
{
    int64_t early = moment - SPIN_NS;
    if (early > now_ns()) {
        struct timespec at = {early / 1000000000, early % 1000000000};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
            ;
    }
    while (now_ns() < moment)
        ;
}

/* A long frame of that many bytes, with a fixed head and what looks like records. */
static void fill(unsigned char *frame, int length)
{
    unsigned char sum = 0;
    int i;
    frame[0] = frame[3] = 0x68;
    frame[1] = frame[2] = (unsigned char)(length - 6);
    for (i = 4; i < length - 2; i++)
        frame[i] = (unsigned char)(i * 7);
    frame[4] = 0x08;
    frame[5] = 0x01;
    frame[6] = 0x72;
    for (i = 4; i < length - 2; i++)
        sum = (unsigned char)(sum + frame[i]);
    frame[length - 2] = sum;
    frame[length - 1] = 0x16;
}

int main(int argc, char **argv)
{
    int master, slave, heard = 0, length, i;
    unsigned char frame[261], buffer[256];
    char name[64];
    int64_t character, came = 0, free_at = 0;
    struct termios raw;
    struct sched_param priority = {.sched_priority = 50};

    if (argc != 3)
        return 2;
    character = INT64_C(1000000000) * BITS / atoi(argv[1]);
    length = atoi(argv[2]);
    if (length < 9 || length > 261 || openpty(&master, &slave, name, NULL, NULL))
        return 1;
    tcgetattr(slave, &raw);
    cfmakeraw(&raw);
    tcsetattr(slave, TCSANOW, &raw);
    fill(frame, length);
    sched_setscheduler(0, SCHED_FIFO, &priority); /* where that is allowed */
    printf("%s\n", name);
    fflush(stdout);
    for (;;) {
        struct pollfd wanted[2] = {{master, POLLIN, 0}, {0, POLLIN, 0}};
        int64_t start;
        ssize_t got;
        poll(wanted, 2, -1);
        if (wanted[1].revents && read(0, buffer, sizeof buffer) <= 0)
            return 0;
        if (!(wanted[0].revents & POLLIN))
            continue;
        got = read(master, buffer, sizeof buffer);
        if (got <= 0)
            continue;
        if (!heard) {
            came = now_ns();
            if (free_at < came)
                free_at = came;
        }
        heard += (int)got;
        free_at += got * character;
        if (heard < REQUEST)
            continue;
        heard = 0;
        start = free_at + TURNAROUND_BITS * character / BITS;
        for (i = 0; i < length; i++) {
            wait_until(start + (i + 1) * character);
            if (write(master, frame + i, 1) != 1)
                return 1;
        }
        free_at = start + length * character;
        printf("%lld %lld\n", (long long)came, (long long)now_ns());
        fflush(stdout);
    }
}
