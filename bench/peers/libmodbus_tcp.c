/* libmodbus, a thread for each device, each reading for ever: PORT DEVICES REGISTERS. Devices are at the loopback
 * addresses from 127.1.0.1 on. It waits 3 s for an answer, as pymodbus does by itself; one that comes too late is told
 * in a line on standard error, any other error is the end. */
#include <arpa/inet.h>
#include <errno.h>
#include <modbus.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST = 0x7F010001, STACK = 1 << 16, PATIENCE_S = 3 };

static int port, registers;
static pthread_barrier_t all_there;

static void *read_for_ever(void *number) {
    struct in_addr address = {htonl(FIRST + (uint32_t)(size_t)number)};
    char host[INET_ADDRSTRLEN];
    uint16_t content[MODBUS_MAX_READ_REGISTERS];
    modbus_t *device = modbus_new_tcp(inet_ntop(AF_INET, &address, host, sizeof host), port);

    if (!device || modbus_connect(device)) {
        fprintf(stderr, "%s: %s\n", host, modbus_strerror(errno));
        exit(1);
    }
    modbus_set_slave(device, 1);
    modbus_set_response_timeout(device, PATIENCE_S, 0);
    pthread_barrier_wait(&all_there); /* else the first ones leave no time for starting the last */
    for (;;) {
        if (modbus_read_registers(device, 0, registers, content) == registers) {
            if (content[registers - 1] == registers - 1) continue;
            errno = EMBBADDATA;
        }
        fprintf(stderr, "%s: %s\n", host, modbus_strerror(errno));
        if (errno != ETIMEDOUT && errno != EMBBADDATA) exit(1); /* the latter: an answer to the request before */
        modbus_flush(device);
    }
}

int main(int argc, char **argv) {
    pthread_attr_t small;
    pthread_t thread;
    int devices;

    if (argc != 4) {
        fprintf(stderr, "usage: PORT DEVICES REGISTERS\n");
        return 2;
    }
    port = atoi(argv[1]);
    devices = atoi(argv[2]);
    registers = atoi(argv[3]);
    pthread_barrier_init(&all_there, NULL, devices);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK);
    for (int n = 0; n < devices; n++)
        if (pthread_create(&thread, &small, read_for_ever, (void *)(size_t)n)) {
            perror("pthread_create");
            return 1;
        }
    pthread_join(thread, NULL);
}
