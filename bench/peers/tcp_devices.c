/* Modbus TCP devices, one per loopback address from 127.1.0.1 on, all on one port: DEVICES LATENCY_US. Not a peer: it is
 * what all of them read. It says its port as a line of JSON; to every line on standard input it answers with one that
 * counts its connections and its answers since the beginning. It ends with standard input.
 *
 * Holding and input registers 0 to 65535 can be read; each holds its own address. Everything else is refused. An answer
 * leaves LATENCY_US after its request came; as that is the same for all, answers leave in the order of their requests.
 * Frames: Modbus Messaging on TCP/IP V1.0b, 3.1.3. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { FIRST = 0x7F010001, HEAD = 6, REQUEST = 12, LONGEST = 260, MOST_READ = 125, EVENTS = 256, WAITING = 1 << 16 };

struct connection { int is_listening; unsigned generation; size_t length; uint8_t buffer[LONGEST]; };
struct pending { struct timespec due; int fd; unsigned generation; uint8_t request[REQUEST]; };

static struct connection *connections;
static struct pending *queue;
static unsigned long entered, left;
static long connected, answered, latency_ns;
static int events, timer;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int is_due(const struct timespec *due) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return due->tv_sec < now.tv_sec || (due->tv_sec == now.tv_sec && due->tv_nsec <= now.tv_nsec);
}

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(events, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
}

static void answer(int fd, const uint8_t *request) {
    uint8_t reply[LONGEST];
    unsigned address = request[8] << 8 | request[9], count = request[10] << 8 | request[11], length = 9;

    memcpy(reply, request, 8);
    if ((request[7] == 3 || request[7] == 4) && count >= 1 && count <= MOST_READ) {
        reply[8] = 2 * count;
        for (unsigned n = 0; n < count; n++) {
            reply[length++] = (address + n) >> 8;
            reply[length++] = address + n;
        }
    } else {
        reply[7] |= 0x80;
        reply[8] = 1; /* illegal function */
    }
    reply[4] = 0;
    reply[5] = length - HEAD;
    if (send(fd, reply, length, MSG_NOSIGNAL) == (ssize_t)length) answered++;
}

static void arm(void) {
    struct itimerspec at = {.it_value = queue[left % WAITING].due};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static void answer_later(int fd, const uint8_t *request) {
    struct pending *one = &queue[entered % WAITING];

    if (entered - left == WAITING) return; /* nobody waits for that many */
    clock_gettime(CLOCK_MONOTONIC, &one->due);
    one->due.tv_nsec += latency_ns;
    one->due.tv_sec += one->due.tv_nsec / 1000000000L;
    one->due.tv_nsec %= 1000000000L;
    one->fd = fd;
    one->generation = connections[fd].generation;
    memcpy(one->request, request, REQUEST);
    if (entered++ == left) arm();
}

static void answer_what_is_due(void) {
    uint64_t expirations;

    if (read(timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN) fail("timerfd");
    for (; left != entered && is_due(&queue[left % WAITING].due); left++) {
        struct pending *one = &queue[left % WAITING];
        if (connections[one->fd].generation == one->generation) answer(one->fd, one->request);
    }
    if (left != entered) arm();
}

static void hear(int fd) {
    struct connection *of = &connections[fd];
    ssize_t came = recv(fd, of->buffer + of->length, sizeof of->buffer - of->length, MSG_DONTWAIT);
    size_t start = 0;

    if (came <= 0) {
        if (came < 0 && errno == EAGAIN) return;
        close(fd);
        of->generation++;
        connected--;
        return;
    }
    for (of->length += came; of->length - start >= REQUEST; start += REQUEST)
        if (latency_ns) answer_later(fd, of->buffer + start);
        else answer(fd, of->buffer + start);
    memmove(of->buffer, of->buffer + start, of->length -= start);
}

static void take(int listening) {
    int one = 1, fd = accept(listening, NULL, NULL);

    if (fd < 0) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connections[fd].is_listening = 0;
    connections[fd].length = 0;
    connected++;
    watch(fd);
}

static in_port_t listen_at(uint32_t host, in_port_t port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(host)};
    socklen_t size = sizeof at;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, size) || listen(fd, 16)) fail("listen");
    if (getsockname(fd, (struct sockaddr *)&at, &size)) fail("getsockname");
    connections[fd].is_listening = 1;
    watch(fd);
    return at.sin_port;
}

static void tell(void) {
    char words[64];

    if (read(STDIN_FILENO, words, sizeof words) <= 0) exit(0);
    printf("{\"connections\": %ld, \"answers\": %ld}\n", connected, answered);
    fflush(stdout);
}

int main(int argc, char **argv) {
    struct epoll_event ready[EVENTS];
    struct rlimit files;
    in_port_t port = 0;

    if (argc != 3) {
        fprintf(stderr, "usage: DEVICES LATENCY_US\n");
        return 2;
    }
    latency_ns = atol(argv[2]) * 1000;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    prctl(PR_SET_TIMERSLACK, 1);
    connections = calloc(2 * atol(argv[1]) + 4096, sizeof *connections);
    queue = calloc(WAITING, sizeof *queue);
    events = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    if (!connections || !queue || events < 0 || timer < 0) fail("start");
    watch(STDIN_FILENO);
    watch(timer);
    for (int n = 0; n < atoi(argv[1]); n++) port = listen_at(FIRST + n, port);
    printf("{\"port\": %d}\n", ntohs(port));
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(events, ready, EVENTS, -1);
        for (int n = 0; n < count; n++) {
            int fd = ready[n].data.fd;
            if (fd == STDIN_FILENO) tell();
            else if (fd == timer) answer_what_is_due();
            else if (connections[fd].is_listening) take(fd);
            else hear(fd);
        }
    }
}
