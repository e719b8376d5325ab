/* The near side of the benchmark: an HTTP/1.1 load generator. Prints one JSON object.
 *
 *     load -p PORT -b BODY [-b BODY]... [-c CONNECTIONS] [-d SECONDS] [-w WARM_UP_SECONDS]
 *          [-r RATE] [-s SPREAD_SECONDS] [-V SEEDS] [-H "name: value"]... [-m TEXT]
 *
 * One thread, one epoll. Without -r the loop is closed: a connection sends again as soon as its
 * reply is whole; -s spreads their first calls evenly over that many seconds. With -r it is open:
 * calls arrive at random (Poisson) at RATE a second, and a latency counts from the moment the call
 * was due, so waiting behind a stalled server is measured and not hidden.
 *
 * Bodies are used in turn. SEED_MARK in a body is replaced by one of SEEDS ten-digit numbers
 * (-V 0, the default: a new number for every call). "matched" counts replies whose head contains
 * TEXT. Calls that end during the warm-up are counted in "all" only; "replies" counts parts of
 * replies as well, by their bytes.
 *
 * latency: due → last byte; ttft: due → first byte of the body; gap: between two reads of one
 * body. Microseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "histogram.h"
#include "reply.h"

#define SEED_MARK "@@SEED@@__"
#define SEED_LEN 10
#define MAX_BODY (8 << 20)
#define MAX_BODIES 16
#define QUEUE (1 << 20)      /* calls that are due and have no connection */
#define MAX_LOST 1000        /* lost connections after which there is nothing to measure */
#define READY 512

typedef struct { char *bytes; size_t len, seed; } Request; /* seed: its offset, or len */
typedef struct {
  int fd, busy, writing;
  const Request *request;
  size_t sent;
  uint64_t due, first, last;
  char seed[SEED_LEN + 1];
  Reply reply;
} Conn;

static Request requests[MAX_BODIES];
static int nrequests, nconns = 1, port, epoll_fd, timer_fd, *idle, nidle, started;
static Conn *conns;
static long seeds;
static const char *match;
static double rate, spread, seconds = 3, warm;
static uint64_t begin, measure, end, next_arrival, turn, queue[QUEUE], queue_head, queue_tail;
static uint64_t all, done, bad, lost, matched, overflow, bad_status, size, data;
static Histogram latency, ttft, gap;

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void fail(const char *what) { fprintf(stderr, "load: %s: %s\n", what, strerror(errno)); exit(2); }

static void interest(Conn *c, int op, uint32_t events) {
  epoll_ctl(epoll_fd, op, c->fd, &(struct epoll_event){.events = events, .data.ptr = c});
}

static void dial(Conn *c) {
  int one = 1;
  struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (c->fd < 0 || connect(c->fd, (void *)&there, sizeof there)) fail("connect");
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  c->writing = 0;
  interest(c, EPOLL_CTL_ADD, EPOLLIN);
}

static void start(Conn *c, uint64_t due);

/* A connection is free: closed loop sends at once, open loop takes the call that waits longest. */
static void next(Conn *c) {
  c->busy = 0;
  if (rate <= 0) { if (now_ns() < end) start(c, now_ns()); }
  else if (queue_head != queue_tail) start(c, queue[queue_head++ % QUEUE]);
  else idle[nidle++] = (int)(c - conns);
}

static void hung_up(Conn *c) {
  close(c->fd);
  dial(c);
  if (!c->busy) return; /* an idle connection may be closed at any time */
  if (++lost > MAX_LOST) fail("too many lost connections");
  next(c);
}

/* Never blocks: a prompt of megabytes must not hold up the calls beside it. */
static void push(Conn *c) {
  const Request *r = c->request;
  while (c->sent < r->len) {
    size_t at = c->sent, seed_end = r->seed + SEED_LEN;
    struct iovec io[3];
    int n = 0;
    if (at < r->seed) io[n++] = (struct iovec){r->bytes + at, r->seed - at};
    if (r->seed < r->len) {
      size_t from = at > r->seed ? at - r->seed : 0, rest = at > seed_end ? at : seed_end;
      if (from < SEED_LEN) io[n++] = (struct iovec){c->seed + from, SEED_LEN - from};
      if (rest < r->len) io[n++] = (struct iovec){r->bytes + rest, r->len - rest};
    }
    struct msghdr message = {.msg_iov = io, .msg_iovlen = (size_t)n};
    ssize_t sent = sendmsg(c->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EAGAIN && !c->writing) interest(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
      c->writing = 1; /* any other error shows as a hang-up when the reply is read */
      return;
    }
    c->sent += (size_t)sent;
  }
  if (c->writing) interest(c, EPOLL_CTL_MOD, EPOLLIN);
  c->writing = 0;
}

static void start(Conn *c, uint64_t due) {
  c->request = &requests[turn % (uint64_t)nrequests];
  unsigned long long seed = seeds > 0 ? turn % (uint64_t)seeds : begin / 1000 % 1000000000 * 10 + turn;
  snprintf(c->seed, sizeof c->seed, "%010llu", seed % 10000000000ull);
  turn++;
  c->busy = 1;
  c->sent = 0;
  c->due = due;
  reply_begin(&c->reply);
  c->first = 0;
  push(c);
}

static void finish(Conn *c) {
  uint64_t now = now_ns();
  all++;
  data += size = (uint64_t)c->reply.data;
  if (now >= measure && now <= end) {
    done++;
    record(&latency, now - c->due);
    if (c->first) record(&ttft, c->first - c->due);
    if (match && strcasestr(c->reply.head, match)) matched++;
  }
  if (c->reply.status != 200 && !bad++) {
    bad_status = (uint64_t)c->reply.status;
    fprintf(stderr, "load: the first reply that is not 200:\n%.600s\n", c->reply.head);
  }
  /* A reply before the request was whole (413, say) leaves a connection that cannot be used. */
  if (c->reply.close || c->sent < c->request->len) { close(c->fd); dial(c); }
  next(c);
}

static void readable(Conn *c) {
  static char bytes[1 << 16];
  ssize_t got = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) hung_up(c);
  if (got <= 0 || !c->busy) return;
  char *p = bytes;
  size_t n = (size_t)got;
  if (c->reply.in_head && !reply_head(&c->reply, &p, &n)) return;
  if (n) {
    uint64_t now = now_ns();
    if (!c->first) c->first = now;
    else if (now >= measure && now <= end) record(&gap, now - c->last);
    c->last = now;
  }
  if (reply_body(&c->reply, p, n)) finish(c);
}

static uint64_t interval(void) { return (uint64_t)(-log(1.0 - drand48()) / rate * 1e9); }

/* Starts what is due and says when to wake up again (0: no need). */
static uint64_t start_due(uint64_t now) {
  if (rate <= 0) {
    uint64_t step = (uint64_t)(spread * 1e9 / nconns);
    for (; started < nconns && begin + (uint64_t)started * step <= now; started++) start(&conns[started], now);
    return started < nconns ? begin + (uint64_t)started * step : 0;
  }
  for (; next_arrival <= now; next_arrival += interval()) {
    if (nidle) start(&conns[idle[--nidle]], next_arrival);
    else if (queue_tail - queue_head < QUEUE) queue[queue_tail++ % QUEUE] = next_arrival;
    else overflow++;
  }
  return next_arrival;
}

static void add_body(const char *path, const char *headers) {
  if (nrequests == MAX_BODIES) fail("too many bodies");
  Request *r = &requests[nrequests++];
  char *body = malloc(MAX_BODY + 1);
  FILE *file = fopen(path, "rb");
  if (!file) fail(path);
  size_t len = fread(body, 1, MAX_BODY + 1, file);
  fclose(file);
  if (len > MAX_BODY) { errno = EFBIG; fail(path); }
  r->bytes = malloc(len + 16384);
  r->len = (size_t)snprintf(r->bytes, 16384,
      "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: application/json\r\n"
      "Content-Type: application/json\r\nUser-Agent: OpenAI/Python 2.8.0\r\n%sContent-Length: %zu\r\n\r\n",
      port, headers, len);
  memcpy(r->bytes + r->len, body, len);
  r->len += len;
  char *seed = memmem(r->bytes, r->len, SEED_MARK, SEED_LEN);
  r->seed = seed ? (size_t)(seed - r->bytes) : r->len;
  free(body);
}

static void options(int argc, char **argv) {
  const char *bodies[MAX_BODIES];
  char headers[8192] = "";
  int option, nbodies = 0;
  while ((option = getopt(argc, argv, "p:b:c:d:w:r:s:V:H:m:")) != -1) switch (option) {
    case 'p': port = atoi(optarg); break;
    case 'b': if (nbodies < MAX_BODIES) bodies[nbodies++] = optarg; break;
    case 'c': nconns = atoi(optarg); break;
    case 'd': seconds = atof(optarg); break;
    case 'w': warm = atof(optarg); break;
    case 'r': rate = atof(optarg); break;
    case 's': spread = atof(optarg); break;
    case 'V': seeds = atol(optarg); break;
    case 'm': match = optarg; break;
    case 'H':
      if (strlen(headers) + strlen(optarg) + 3 > sizeof headers) { errno = E2BIG; fail("-H"); }
      strcat(strcat(headers, optarg), "\r\n");
      break;
    default: exit(2);
  }
  if (!port || !nbodies || nconns < 1) { fprintf(stderr, "usage: load -p PORT -b BODY ...\n"); exit(2); }
  for (int i = 0; i < nbodies; i++) add_body(bodies[i], headers);
}

static void run(void) {
  struct epoll_event ready[READY];
  for (uint64_t now; (now = now_ns()) < end;) {
    uint64_t wake = start_due(now);
    if (!wake || wake > end) wake = end;
    struct itimerspec at = {.it_value = {(time_t)(wake / 1000000000ull), (long)(wake % 1000000000ull)}};
    static uint64_t armed;
    if (wake != armed) timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
    armed = wake;
    int n = epoll_wait(epoll_fd, ready, READY, -1);
    for (int i = 0; i < n; i++) {
      Conn *c = ready[i].data.ptr;
      uint64_t ticks;
      if (!c) { if (read(timer_fd, &ticks, sizeof ticks) < 0) continue; armed = 0; continue; }
      if (ready[i].events & EPOLLOUT) push(c);
      if (ready[i].events & ~(uint32_t)EPOLLOUT) readable(c);
    }
  }
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the benchmark */
  struct rlimit files = {8192, 8192};
  setrlimit(RLIMIT_NOFILE, &files);
  srand48(42);
  options(argc, argv);
  conns = calloc((size_t)nconns, sizeof *conns);
  idle = calloc((size_t)nconns, sizeof *idle);
  epoll_fd = epoll_create1(0);
  timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = NULL});
  for (int i = 0; i < nconns; i++) dial(&conns[i]);
  begin = now_ns();
  measure = begin + (uint64_t)(warm * 1e9);
  end = measure + (uint64_t)(seconds * 1e9);
  if (rate > 0) {
    for (int i = 0; i < nconns; i++) idle[nidle++] = i;
    next_arrival = begin + interval();
  }
  run();
  for (int i = 0; i < nconns; i++) if (conns[i].busy && !conns[i].reply.in_head) data += (uint64_t)conns[i].reply.data;
  printf("{\"rate\": %.1f, \"all\": %llu, \"done\": %llu, \"bad\": %llu, \"bad_status\": %llu, \"lost\": %llu, \"matched\": %llu, \"waiting\": %llu, \"replies\": %.2f",
         (double)done / seconds, (unsigned long long)all, (unsigned long long)done, (unsigned long long)bad, (unsigned long long)bad_status,
         (unsigned long long)lost, (unsigned long long)matched, (unsigned long long)(queue_tail - queue_head + overflow),
         size ? (double)data / (double)size : 0);
  histogram_print("latency", &latency);
  histogram_print("ttft", &ttft);
  histogram_print("gap", &gap);
  printf("}\n");
  return 0;
}
