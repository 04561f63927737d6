/* libmodbus, reading slave after slave for ever and keeping 3.5 characters of silence after each reply:
 * PORT SLAVES READS [TIMEOUT_S]. READS are ADDRESS:COUNT, with commas between. With a time-out, given for answers,
 * errors are passed over; without, the library's own holds and the first error is the end. */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

enum { BAUDRATE = 9600, MOST_READS = 256 };
/* Modbus over Serial Line V1.02, 2.5.1.1, with the 10 bits of 8N1 */
static const struct timespec SILENCE = {0, 35 * (1000000000L / BAUDRATE)};

int main(int argc, char **argv) {
    struct { int address, count; } reads[MOST_READS];
    uint16_t registers[MODBUS_MAX_READ_REGISTERS];
    int known = 0, slaves;
    double timeout_s = argc > 4 ? atof(argv[4]) : 0;

    if (argc < 4) {
        fprintf(stderr, "usage: PORT SLAVES READS [TIMEOUT_S]\n");
        return 2;
    }
    slaves = atoi(argv[2]);
    for (char *part = strtok(argv[3], ","); part && known < MOST_READS; part = strtok(NULL, ","), known++)
        if (sscanf(part, "%d:%d", &reads[known].address, &reads[known].count) != 2) return 2;

    modbus_t *bus = modbus_new_rtu(argv[1], BAUDRATE, 'N', 8, 1);
    if (!bus || modbus_connect(bus)) {
        fprintf(stderr, "%s: %s\n", argv[1], modbus_strerror(errno));
        return 1;
    }
    if (timeout_s > 0) modbus_set_response_timeout(bus, (uint32_t)timeout_s, (uint32_t)(timeout_s * 1e6) % 1000000);
    prctl(PR_SET_TIMERSLACK, 1); /* sleep for as long as is said: the kindest to this peer */
    for (;;)
        for (int slave = 1; slave <= slaves; slave++) {
            modbus_set_slave(bus, slave);
            for (int n = 0; n < known; n++) {
                int came = modbus_read_registers(bus, reads[n].address, reads[n].count, registers);
                if (came != reads[n].count) {
                    if (timeout_s <= 0) {
                        fprintf(stderr, "slave %d: %s\n", slave, modbus_strerror(errno));
                        return 1;
                    }
                    modbus_flush(bus);
                }
                clock_nanosleep(CLOCK_MONOTONIC, 0, &SILENCE, NULL);
            }
        }
}
