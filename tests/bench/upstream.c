/* The far side of the benchmark: an OpenAI-shaped upstream that is never the bottleneck.
 *
 *     upstream PORT GAP_US
 *
 * One thread, one epoll. A call is answered at once with a fixed chat completion of about 600
 * bytes. A call that says "stream":true gets EVENTS server-sent events, GAP_US microseconds apart
 * (0: back to back), and a usage event when it says "include_usage":true. Nothing of a request is
 * kept or echoed: its body is looked at in its first bytes only and the rest is discarded in the
 * kernel, so a prompt of megabytes costs next to nothing here.
 *
 * Refuses: request bodies without Content-Length (411), heads over IN_BYTES. It speaks to the
 * benchmark on the loopback interface and to nobody else.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 50        /* events that carry text, role or finish reason */
#define MAX_FD 8192
#define IN_BYTES 16384   /* a head and the part of a body that is looked at */
#define READY 512

typedef struct {
  int open, busy, streaming, usage, next_event;
  uint32_t life;         /* told apart from an earlier connection with the same number */
  long long skip;        /* body bytes still to be discarded */
  size_t in_len;
  char in[IN_BYTES];
} Conn;

typedef struct { uint64_t due; int fd; uint32_t life; } Timer;
typedef struct { char bytes[1536]; size_t len; } Piece;

static Conn *conns[MAX_FD];
/* Every timer waits the same gap, so they fall due in the order they were set: a ring will do. */
static Timer timers[2 * MAX_FD];
static size_t timer_head, timer_tail;
static uint64_t gap_ns;
static int epoll_fd, timer_fd, listen_fd;
static Piece whole, stream_head, events[EVENTS], usage_event, last, refusal;

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

#define ID "\"id\":\"chatcmpl-BNHkqWz7M2vX9yTfR4sLdE8uJpQcA\","
#define MADE "\"created\":1763805600,\"model\":\"gpt-4.1-mini-2025-04-14\","
#define CHUNK ID "\"object\":\"chat.completion.chunk\"," MADE "\"service_tier\":\"default\","
#define MARKS "x-request-id: req_0123456789abcdef\r\nopenai-processing-ms: 12\r\nopenai-version: 2020-10-01\r\n"

static void event(Piece *piece, const char *data) {
  piece->len = (size_t)snprintf(piece->bytes, sizeof piece->bytes, "%zx\r\ndata: %s\n\n\r\n",
                                strlen(data) + 8, data);
}

static void build_replies(void) {
  const char *body =
      "{" ID "\"object\":\"chat.completion\"," MADE "\"choices\":[{\"index\":0,\"message\":{\"role\":"
      "\"assistant\",\"content\":\"Paris is the capital of France. It has been the country's political, "
      "economic and cultural centre for centuries.\",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,"
      "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":131,\"completion_tokens\":33,"
      "\"total_tokens\":164,\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0}},"
      "\"service_tier\":\"default\",\"system_fingerprint\":\"fp_6f2eabb9a5\"}";
  char data[1024];
  whole.len = (size_t)snprintf(whole.bytes, sizeof whole.bytes,
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n" MARKS "\r\n%s",
      strlen(body), body);
  stream_head.len = (size_t)snprintf(stream_head.bytes, sizeof stream_head.bytes,
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
      "Transfer-Encoding: chunked\r\n" MARKS "\r\n");
  for (int i = 0; i < EVENTS; i++) {
    const char *finish = i == EVENTS - 1 ? "\"stop\"" : "null";
    if (i == 0) snprintf(data, sizeof data, "{" CHUNK "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}");
    else if (i == EVENTS - 1) snprintf(data, sizeof data, "{" CHUNK "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":%s}]}", finish);
    else snprintf(data, sizeof data, "{" CHUNK "\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word%d\"},\"finish_reason\":%s}]}", i, finish);
    event(&events[i], data);
  }
  event(&usage_event, "{" CHUNK "\"choices\":[],\"usage\":{\"prompt_tokens\":131,\"completion_tokens\":48,\"total_tokens\":179}}");
  event(&last, "[DONE]");
  memcpy(last.bytes + last.len, "0\r\n\r\n", 5);
  last.len += 5;
  refusal.len = (size_t)snprintf(refusal.bytes, sizeof refusal.bytes,
      "HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

static void drop(int fd) {
  Conn *c = conns[fd];
  c->open = c->busy = 0;
  c->life++;
  close(fd);
}

/* Sends all of it. Replies are small: a peer that cannot take one within a second is gone. */
static int put(int fd, const char *bytes, size_t len) {
  while (len) {
    ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) { bytes += sent; len -= (size_t)sent; continue; }
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    if (errno != EAGAIN || poll(&wait, 1, 1000) <= 0) { drop(fd); return 0; }
  }
  return 1;
}

static void set_timer(int fd, uint64_t due) {
  timers[timer_tail++ % (2 * MAX_FD)] = (Timer){due, fd, conns[fd]->life};
}

/* The events of one turn leave in one write, the head with the first. Returns 1 at the end. */
static int send_events(int fd) {
  Conn *c = conns[fd];
  char out[4096];
  size_t len = 0;
  if (c->next_event == 0) { memcpy(out, stream_head.bytes, stream_head.len); len = stream_head.len; }
  memcpy(out + len, events[c->next_event].bytes, events[c->next_event].len);
  len += events[c->next_event].len;
  int end = ++c->next_event == EVENTS;
  if (end) {
    if (c->usage) { memcpy(out + len, usage_event.bytes, usage_event.len); len += usage_event.len; }
    memcpy(out + len, last.bytes, last.len);
    len += last.len;
    c->busy = 0;
  }
  return put(fd, out, len) ? end : 1;
}

static void answer(int fd) {
  Conn *c = conns[fd];
  if (!c->streaming) { c->busy = 0; put(fd, whole.bytes, whole.len); return; }
  c->next_event = 0;
  if (!gap_ns) { while (!send_events(fd)) {} return; }
  if (!send_events(fd)) set_timer(fd, now_ns() + gap_ns);
}

static long long content_length(const char *head, const char *end) {
  for (const char *line = head; line < end;) {
    const char *stop = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
    if (!stop) break;
    if (!strncasecmp(line, "content-length:", 15)) return strtoll(line + 15, NULL, 10);
    if (!strncasecmp(line, "transfer-encoding:", 18)) return -1;
    line = stop + 2;
  }
  return 0;
}

static int says(const char *body, size_t len, const char *name) {
  const char *found = memmem(body, len, name, strlen(name)), *end = body + len;
  if (!found) return 0;
  for (found += strlen(name); found < end && (*found == ' ' || *found == ':'); found++) {}
  return end - found >= 4 && !memcmp(found, "true", 4);
}

static void parse(int fd) {
  Conn *c = conns[fd];
  while (c->open && !c->busy && c->in_len) {
    char *end = memmem(c->in, c->in_len, "\r\n\r\n", 4);
    if (!end) { if (c->in_len == IN_BYTES) drop(fd); return; }
    size_t head = (size_t)(end + 4 - c->in), have = c->in_len - head;
    long long need = content_length(c->in, end);
    if (need < 0) { if (put(fd, refusal.bytes, refusal.len)) drop(fd); return; }
    if ((long long)have < need && c->in_len < IN_BYTES) return;
    size_t body = (long long)have < need ? have : (size_t)need;
    c->streaming = says(c->in + head, body, "\"stream\"");
    c->usage = c->streaming && says(c->in + head, body, "\"include_usage\"");
    c->skip = need - (long long)body;
    c->in_len -= head + body;
    memmove(c->in, c->in + head + body, c->in_len);
    c->busy = 1;
    if (!c->skip) answer(fd);
  }
}

static void readable(int fd) {
  Conn *c = conns[fd];
  ssize_t got;
  if (!c->open) return;
  if (c->skip) {
    /* MSG_TRUNC on a TCP socket discards in the kernel and copies nothing. */
    got = recv(fd, NULL, (size_t)c->skip, MSG_DONTWAIT | MSG_TRUNC);
    if (got > 0 && !(c->skip -= got)) { answer(fd); parse(fd); }
  } else {
    if (c->in_len == IN_BYTES) return;
    got = recv(fd, c->in + c->in_len, IN_BYTES - c->in_len, MSG_DONTWAIT);
    if (got > 0) { c->in_len += (size_t)got; parse(fd); }
  }
  if (got == 0 || (got < 0 && errno != EAGAIN)) drop(fd);
}

static void accept_all(void) {
  int fd, one = 1;
  while ((fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    if (fd >= MAX_FD) { close(fd); continue; }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!conns[fd]) conns[fd] = calloc(1, sizeof(Conn));
    Conn *c = conns[fd];
    c->open = 1; c->busy = 0; c->in_len = 0; c->skip = 0; c->life++;
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
  }
}

static void fire_timers(void) {
  uint64_t now = now_ns();
  while (timer_head != timer_tail) {
    Timer t = timers[timer_head % (2 * MAX_FD)];
    if (t.due > now) break;
    timer_head++;
    if (!conns[t.fd]->open || conns[t.fd]->life != t.life) continue;
    /* Due from when it was due, not from now: lateness must not add up over a stream. */
    if (send_events(t.fd)) parse(t.fd); else set_timer(t.fd, t.due + gap_ns);
  }
}

static void arm_timer(void) {
  static uint64_t armed;
  uint64_t due = timer_head == timer_tail ? 0 : timers[timer_head % (2 * MAX_FD)].due;
  if (due == armed) return;
  armed = due;
  struct itimerspec at = {.it_value = {(time_t)(due / 1000000000ull), (long)(due % 1000000000ull)}};
  timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void watch(int fd) {
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
}

int main(int argc, char **argv) {
  if (argc != 3) { fprintf(stderr, "usage: upstream PORT GAP_US\n"); return 2; }
  signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the benchmark */
  struct rlimit files = {MAX_FD, MAX_FD};
  setrlimit(RLIMIT_NOFILE, &files);
  gap_ns = strtoull(argv[2], NULL, 10) * 1000ull;
  build_replies();
  int one = 1;
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listen_fd, (void *)&here, sizeof here) || listen(listen_fd, 4096)) { perror("upstream"); return 1; }
  epoll_fd = epoll_create1(0);
  timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  watch(listen_fd);
  watch(timer_fd);
  struct epoll_event ready[READY];
  for (;;) {
    fire_timers();
    arm_timer();
    int n = epoll_wait(epoll_fd, ready, READY, -1);
    for (int i = 0; i < n; i++) {
      uint64_t ticks;
      if (ready[i].data.fd == listen_fd) accept_all();
      else if (ready[i].data.fd == timer_fd) { if (read(timer_fd, &ticks, sizeof ticks) < 0) continue; }
      else readable(ready[i].data.fd);
    }
  }
}
