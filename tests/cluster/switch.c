/* A network switch in user space, for the cluster of network namespaces that the tests run on: each port is a raw
 * socket on one interface; what comes in at one leaves at another, later, slower, or never.
 *
 *     cluster_switch DELAY_US RATE_MBIT LOSS_PPM INTERFACE INTERFACE...      (a rate of 0: no limit)
 *
 * A frame leaves on the port whose machine has its address, and on all others while that is not known (one machine a
 * port: its address is the sender's of the last frame that came in there). Each port takes and sends one frame
 * after the other at the rate, and a frame arrives DELAY_US after its last bit was sent. Frames wait in a pool of fixed
 * size; what does not fit is dropped, as real switches do. Cost: a wake-up of this process for each group of frames.
 *
 * Linux hands over up to 64 KiB of a TCP stream as one frame whose checksums and cuts are left to the card
 * (PACKET_VNET_HDR keeps the notes on that): fewer wake-ups, the same bytes in the same time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    PORTS_MAX = 64,
    FRAMES_MAX = 2048,       /* of the pool: its memory is only taken as far as it is used */
    FRAME_BYTES = 66 * 1024, /* the largest that is not yet cut, and its header */
    RECEIVE_BYTES = 16 << 20,
    BURST = 32, /* frames that are taken from a port before the next one's turn */
    NOTES = sizeof(struct virtio_net_hdr)
};

struct frame {
    struct frame *next;
    int64_t due_ns; /* when it arrives */
    size_t length;  /* with the notes before it */
    unsigned char bytes[FRAME_BYTES];
};

struct port {
    int socket;
    struct frame *first, *last; /* on their way out, in the order of arrival */
    int64_t busy_until_ns;      /* the way out */
    int64_t taken_until_ns;     /* the way in: a machine's own sending has the same rate */
    bool known;
    unsigned char address[ETH_ALEN]; /* of the machine behind it */
};

struct network {
    int64_t delay_ns;
    int64_t rate_mbit; /* 0: no limit */
    uint32_t loss_ppm;
    int ports;
    struct port port[PORTS_MAX];
    struct frame *pool, *spare; /* all frames; those not in use */
    uint64_t random;
};

/* Set by a signal: nothing else may be in its handler. */
static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static bool parse(const char *text, long long max, int64_t *value_p)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end || errno || value < 0 || value > max) {
        fprintf(stderr, "cluster_switch: '%s' is no whole number from 0 to %lld\n", text, max);
        return false;
    }
    *value_p = value;
    return true;
}

/* The network's memory, all of it: nothing is allocated later. */
static bool make_pool(struct network *network)
{
    size_t bytes = FRAMES_MAX * sizeof *network->pool;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        perror("cluster_switch: no memory for frames");
        return false;
    }
    network->pool = memory;
    for (int i = FRAMES_MAX - 1; i >= 0; i--) { /* so that the first ones are used most */
        network->pool[i].next = network->spare;
        network->spare = &network->pool[i];
    }
    return true;
}

static bool set(int socket, int name, const void *value, size_t length)
{
    return setsockopt(socket, SOL_PACKET, name, value, (socklen_t)length) == 0;
}

static bool open_port(const char *interface, struct port *port)
{
    int on = 1, receive = RECEIVE_BYTES;
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(interface)};
    struct packet_mreq all = {.mr_ifindex = address.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
    if (address.sll_ifindex == 0) {
        fprintf(stderr, "cluster_switch: no interface '%s'\n", interface);
        return false;
    }
    /* Protocol 0: nothing comes in before all is set. */
    port->socket = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (port->socket < 0) {
        perror("cluster_switch: raw socket");
        return false;
    }
    if (!set(port->socket, PACKET_VNET_HDR, &on, sizeof on) ||
        !set(port->socket, PACKET_IGNORE_OUTGOING, &on, sizeof on) ||
        !set(port->socket, PACKET_ADD_MEMBERSHIP, &all, sizeof all) ||
        bind(port->socket, (struct sockaddr *)&address, sizeof address) != 0) {
        fprintf(stderr, "cluster_switch: %s: %s\n", interface, strerror(errno));
        return false;
    }
    /* Do without where they are not allowed: more is dropped, each frame costs more. */
    (void)set(port->socket, PACKET_QDISC_BYPASS, &on, sizeof on);
    if (setsockopt(port->socket, SOL_SOCKET, SO_RCVBUFFORCE, &receive, sizeof receive) != 0)
        (void)setsockopt(port->socket, SOL_SOCKET, SO_RCVBUF, &receive, sizeof receive);
    return true;
}

/* Sends what is due. Returns when the next frame is, INT64_MAX where none waits. */
static int64_t deliver(struct network *network)
{
    int64_t time_ns = now_ns(), next_ns = INT64_MAX;
    for (int i = 0; i < network->ports; i++) {
        struct port *port = &network->port[i];
        while (port->first && port->first->due_ns <= time_ns) {
            struct frame *frame = port->first;
            port->first = frame->next;
            /* A port that is down or whose buffer is full loses it, as a cable would. */
            ssize_t written = write(port->socket, frame->bytes, frame->length);
            (void)written;
            frame->next = network->spare;
            network->spare = frame;
        }
        if (port->first && port->first->due_ns < next_ns) next_ns = port->first->due_ns;
    }
    return next_ns;
}

static int64_t transmission_ns(const struct network *network, size_t length)
{
    return network->rate_mbit > 0 ? (int64_t)(length - NOTES) * 8000 / network->rate_mbit : 0;
}

static void queue(struct network *network, struct port *out, const unsigned char *bytes, size_t length, int64_t time_ns)
{
    struct frame *frame = network->spare;
    if (!frame) return;
    network->spare = frame->next;
    if (out->busy_until_ns < time_ns) out->busy_until_ns = time_ns;
    out->busy_until_ns += transmission_ns(network, length);
    frame->due_ns = out->busy_until_ns + network->delay_ns;
    frame->length = length;
    memcpy(frame->bytes, bytes, length);
    frame->next = NULL;
    if (out->first)
        out->last->next = frame;
    else
        out->first = frame;
    out->last = frame;
}

/* xorshift64: any sequence will do, and it is the same in each run. */
static bool is_lost(struct network *network)
{
    network->random ^= network->random << 13;
    network->random ^= network->random >> 7;
    network->random ^= network->random << 17;
    return network->random % 1000000 < network->loss_ppm;
}

static void forward(struct network *network, struct port *in, const unsigned char *bytes, size_t length)
{
    const unsigned char *to = bytes + NOTES, *from = to + ETH_ALEN;
    struct port *only = NULL;
    memcpy(in->address, from, ETH_ALEN);
    in->known = true;
    if (network->loss_ppm > 0 && is_lost(network)) return;
    for (int i = 0; i < network->ports; i++)
        if (network->port[i].known && memcmp(network->port[i].address, to, ETH_ALEN) == 0) only = &network->port[i];
    /* The first bit goes out again as soon as it has come in. */
    int64_t time_ns = now_ns();
    if (in->taken_until_ns > time_ns) time_ns = in->taken_until_ns;
    in->taken_until_ns = time_ns + transmission_ns(network, length);
    for (int i = 0; i < network->ports; i++) {
        struct port *out = &network->port[i];
        if (out != in && (!only || out == only)) queue(network, out, bytes, length, time_ns);
    }
}

static int run(struct network *network)
{
    static unsigned char bytes[FRAME_BYTES];
    struct pollfd polls[PORTS_MAX];
    for (int i = 0; i < network->ports; i++)
        polls[i] = (struct pollfd){.fd = network->port[i].socket, .events = POLLIN};
    while (!stopped) {
        int64_t next_ns = deliver(network);
        int64_t left_ns = next_ns == INT64_MAX ? 1000000000 : next_ns - now_ns();
        if (left_ns < 0) left_ns = 0;
        struct timespec left = {.tv_sec = left_ns / 1000000000, .tv_nsec = left_ns % 1000000000};
        if (ppoll(polls, (nfds_t)network->ports, &left, NULL) < 0 && errno != EINTR) {
            perror("cluster_switch: ppoll");
            return 1;
        }
        for (int i = 0; i < network->ports; i++) {
            for (int taken = 0; polls[i].revents && taken < BURST; taken++) {
                /* An error is that of an interface that went down: it may come up again. */
                ssize_t length = read(network->port[i].socket, bytes, sizeof bytes);
                if (length < NOTES + ETH_HLEN) break;
                forward(network, &network->port[i], bytes, (size_t)length);
            }
        }
    }
    return 0;
}

/* Wakes up in time: no slack, and before what computes on this CPU, where that is allowed. */
static void be_prompt(void)
{
    struct sched_param priority = {.sched_priority = 10};
    prctl(PR_SET_TIMERSLACK, 1UL);
    if (sched_setscheduler(0, SCHED_FIFO, &priority) == 0)
        fprintf(stderr, "cluster_switch: wakes up before other programs (SCHED_FIFO)\n");
    else
        fprintf(stderr, "cluster_switch: SCHED_FIFO is not allowed: where the CPUs are busy, frames are late\n");
}

static int start(int count, char *const words[], struct network *network)
{
    int64_t loss_ppm, delay_us;
    if (!parse(words[0], 10000000, &delay_us) || !parse(words[1], 1000000, &network->rate_mbit) ||
        !parse(words[2], 1000000, &loss_ppm) || !make_pool(network))
        return 1;
    network->delay_ns = delay_us * 1000;
    network->loss_ppm = (uint32_t)loss_ppm;
    for (int i = 3; i < count; i++) {
        network->port[network->ports++].socket = -1;
        if (!open_port(words[i], &network->port[network->ports - 1])) return 1;
    }
    be_prompt();
    puts("ready");
    fflush(stdout);
    return run(network);
}

int main(int argc, char *argv[])
{
    static struct network network = {.random = 88172645463325252U};
    if (argc < 6 || argc > 4 + PORTS_MAX) {
        fprintf(stderr, "usage: cluster_switch DELAY_US RATE_MBIT LOSS_PPM INTERFACE INTERFACE... (up to %d)\n",
                PORTS_MAX);
        return 2;
    }
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    int status = start(argc - 1, argv + 1, &network);
    for (int i = 0; i < network.ports; i++)
        if (network.port[i].socket >= 0) close(network.port[i].socket);
    if (network.pool) munmap(network.pool, FRAMES_MAX * sizeof *network.pool);
    return status;
}
