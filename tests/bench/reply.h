/* Where an HTTP/1.1 reply ends: by its Content-Length or by its last chunk. Reads no more into it. */
#ifndef REPLY_H
#define REPLY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEAD_BYTES 16384

enum { SIZE, DATA, DATA_END, TRAILER };

typedef struct {
  int in_head, chunked, stage, close, status;
  size_t head_len, line_len;
  long long remain, data; /* data: bytes of the body so far, without framing */
  char line[32], head[HEAD_BYTES];
} Reply;

static void reply_begin(Reply *r) {
  r->in_head = 1;
  r->chunked = r->close = 0;
  r->head_len = 0;
}

static void reply_fields(Reply *r, const char *stop) {
  r->in_head = 0;
  r->status = atoi(r->head + 9);
  r->remain = r->data = 0;
  r->stage = SIZE;
  r->line_len = 0;
  for (char *line = r->head; line < stop;) {
    char *eol = memmem(line, (size_t)(stop + 2 - line), "\r\n", 2);
    if (!eol) return;
    if (!strncasecmp(line, "content-length:", 15)) r->remain = strtoll(line + 15, NULL, 10);
    if (!strncasecmp(line, "transfer-encoding: chunked", 26)) r->chunked = 1;
    if (!strncasecmp(line, "connection: close", 17)) r->close = 1;
    line = eol + 2;
  }
}

/* Takes the head's bytes off *bytes. Returns 1 when the head is whole. */
static int reply_head(Reply *r, char **bytes, size_t *len) {
  size_t room = sizeof r->head - 1 - r->head_len, take = *len < room ? *len : room, old = r->head_len;
  memcpy(r->head + r->head_len, *bytes, take);
  r->head_len += take;
  r->head[r->head_len] = 0;
  char *stop = memmem(r->head, r->head_len, "\r\n\r\n", 4);
  if (!stop) {
    if (room) return 0;
    fprintf(stderr, "load: the head of a reply is over %d bytes\n", HEAD_BYTES);
    exit(2);
  }
  size_t used = (size_t)(stop + 4 - r->head) - old;
  *bytes += used;
  *len -= used;
  reply_fields(r, stop);
  return 1;
}

/* Returns 1 when the reply is whole. */
static int reply_body(Reply *r, const char *p, size_t n) {
  if (!r->chunked) { r->data += (long long)n; r->remain -= (long long)n; return r->remain <= 0; }
  while (n) {
    if (r->stage == DATA) {
      size_t take = n < (size_t)r->remain ? n : (size_t)r->remain;
      p += take; n -= take; r->remain -= (long long)take; r->data += (long long)take;
      if (!r->remain) { r->stage = DATA_END; r->remain = 2; }
      continue;
    }
    char ch = *p++;
    n--;
    if (r->stage == DATA_END) { if (!--r->remain) r->stage = SIZE; continue; }
    if (ch != '\n') {
      if (ch != '\r' && r->line_len < sizeof r->line - 1) r->line[r->line_len++] = ch;
      continue;
    }
    if (r->stage == TRAILER) { if (!r->line_len) return 1; r->line_len = 0; continue; }
    r->line[r->line_len] = 0;
    r->line_len = 0;
    r->remain = strtoll(r->line, NULL, 16);
    r->stage = r->remain ? DATA : TRAILER;
  }
  return 0;
}

#endif
