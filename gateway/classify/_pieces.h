/* The tokens of a text: its pieces by the encoding's pattern, each merged from its bytes.

   Included by `_swift.c`. */

/* ── tokens by their bytes ─────────────────────────────────────────────────── */

static inline u64 packed(const u8 *s, size_t n) {
    u64 key = 0;
    for (size_t i = 0; i < n; i++) key |= (u64)s[i] << (8 * i);
    return key;
}

static inline size_t brief_at(u64 key, size_t n) {
    return (size_t)(((key ^ ((u64)n << 59)) * 0x9E3779B97F4A7C15ull) >> (64 - SHORT_BITS));
}

static u64 hash_of(const u8 *s, size_t n) {
    u64 hash = n * 0x9E3779B97F4A7C15ull;
    for (; n >= 8; s += 8, n -= 8) {
        u64 word;
        memcpy(&word, s, 8);
        hash = (hash ^ word) * 0xD6E8FEB86659FD93ull;
        hash ^= hash >> 32;
    }
    hash = (hash ^ packed(s, n)) * 0xD6E8FEB86659FD93ull;
    return hash ^ hash >> 29;
}

static inline u32 rank_of(const Encoder *e, const u8 *s, size_t n) {
    if (n <= SHORT) {
        u64 key = packed(s, n);
        for (size_t at = brief_at(key, n);; at = (at + 1) & ((1u << SHORT_BITS) - 1)) {
            const Slot *slot = &e->brief[at];
            if (slot->id == NONE || (slot->key == key && slot->length == n)) return slot->id;
        }
    }
    if (n > LONGEST_TOKEN) return NONE;
    u64 hash = hash_of(s, n);
    for (size_t at = hash & ((1u << LONG_BITS) - 1);; at = (at + 1) & ((1u << LONG_BITS) - 1)) {
        u64 slot = e->spread[at];
        if (!slot) return NONE;
        if (slot >> 32 != hash >> 32) continue;
        u32 id = (u32)slot - 1, from = e->offsets[id];
        if (e->offsets[id + 1] - from == n && !memcmp(e->bytes + from, s, n)) return id;
    }
}

/* ── what was found ────────────────────────────────────────────────────────── */

typedef struct {
    u32 *ids;               /* NULL: only counted */
    size_t count, room;
    u32 few[512];
} Found;

static int add(Found *found, u32 id) {
    if (found->ids) {
        if (found->count == found->room) {
            size_t bytes = found->room * 2 * sizeof(u32);
            int first = found->ids == found->few;
            u32 *more = first ? PyMem_RawMalloc(bytes) : PyMem_RawRealloc(found->ids, bytes);
            if (!more) return -1;
            if (first) memcpy(more, found->few, sizeof found->few);
            found->ids = more;
            found->room *= 2;
        }
        found->ids[found->count] = id;
    }
    found->count++;
    return 0;
}

static void let_go(Found *found) {
    if (found->ids && found->ids != found->few) PyMem_RawFree(found->ids);
}

/* ── merging one piece ─────────────────────────────────────────────────────── */

static int merge_small(const Encoder *e, const u8 *s, size_t n, Found *found) {
    u32 start[SMALL_PIECE + 1], rank[SMALL_PIECE + 1];
    size_t parts = n;
    for (size_t i = 0; i < n; i++) {
        start[i] = (u32)i;
        rank[i] = i + 1 < n ? rank_of(e, s + i, 2) : NONE;
    }
    start[n] = (u32)n;
    for (;;) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < parts; i++)
            if (rank[i] < rank[best]) best = i;
        if (parts < 2 || rank[best] == NONE) break;
        memmove(start + best + 1, start + best + 2, (parts - best - 1) * sizeof *start);
        memmove(rank + best + 1, rank + best + 2, (parts - best - 2) * sizeof *rank);
        parts--;
        for (size_t i = best ? best - 1 : 0; i <= best; i++) {
            int last = i + 1 >= parts;
            rank[i] = last ? NONE : rank_of(e, s + start[i], start[i + 2] - start[i]);
        }
    }
    for (size_t i = 0; i < parts; i++)
        if (add(found, rank_of(e, s + start[i], start[i + 1] - start[i]))) return -1;
    return 0;
}

/* A heap of (rank, start); entries whose start has another rank by now are passed over. */
static void push(u64 *heap, size_t *size, u64 entry) {
    size_t at = (*size)++;
    for (; at && heap[(at - 1) / 2] > entry; at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
    heap[at] = entry;
}

static u64 pop(u64 *heap, size_t *size) {
    u64 least = heap[0], last = heap[--*size];
    size_t at = 0;
    for (size_t below; (below = 2 * at + 1) < *size; at = below) {
        if (below + 1 < *size && heap[below + 1] < heap[below]) below++;
        if (heap[below] >= last) break;
        heap[at] = heap[below];
    }
    heap[at] = last;
    return least;
}

typedef struct { u32 next, before, rank; } Part;

static void rerank(const Encoder *e, const u8 *s, Part *parts, size_t n, u32 at, u64 *heap,
                   size_t *size) {
    u32 next = parts[at].next;
    parts[at].rank = next < n ? rank_of(e, s + at, parts[next].next - at) : NONE;
    if (parts[at].rank != NONE) push(heap, size, (u64)parts[at].rank << 32 | at);
}

static int merge_large(const Encoder *e, const u8 *s, size_t n, Found *found) {
    /* A merge takes one part away and adds two entries at most. */
    Part *parts = PyMem_RawMalloc((n + 1) * sizeof *parts);
    u64 *heap = PyMem_RawMalloc(3 * n * sizeof *heap);
    size_t size = 0;
    int failed = !parts || !heap;
    for (size_t i = 0; !failed && i <= n; i++)
        parts[i] = (Part){(u32)(i + 1), (u32)(i - 1), NONE};
    for (size_t i = 0; !failed && i < n; i++) rerank(e, s, parts, n, (u32)i, heap, &size);
    while (!failed && size) {
        u64 entry = pop(heap, &size);
        u32 at = (u32)entry, rank = (u32)(entry >> 32);
        if (parts[at].rank != rank) continue;
        u32 gone = parts[at].next, next = parts[gone].next;
        parts[gone].rank = NONE;
        parts[at].next = next;
        parts[next].before = at;
        rerank(e, s, parts, n, at, heap, &size);
        if (at) rerank(e, s, parts, n, parts[at].before, heap, &size);
    }
    for (u32 at = 0; !failed && at < n; at = parts[at].next)
        failed = add(found, rank_of(e, s + at, parts[at].next - at));
    PyMem_RawFree(parts);
    PyMem_RawFree(heap);
    return failed ? -1 : 0;
}

static int merge(const Encoder *e, const u8 *s, size_t n, Found *found) {
    u32 id = rank_of(e, s, n);
    if (id != NONE) return add(found, id);
    return n <= SMALL_PIECE ? merge_small(e, s, n, found) : merge_large(e, s, n, found);
}

/* ── cutting a text into pieces ────────────────────────────────────────────── */

/* The class of the character at `s` and its bytes; valid UTF-8 is what CPython gives. */
static inline unsigned at(const Encoder *e, const u8 *s, const u8 *end, unsigned *width) {
    if (s >= end) {
        *width = 0;
        return CLASSES;
    }
    u32 c = *s;
    if (c < 0x80) {
        *width = 1;
        return e->ascii[c];
    }
    if (c < 0xE0) {
        *width = 2;
        c = (c & 0x1F) << 6 | (s[1] & 0x3F);
    } else if (c < 0xF0) {
        *width = 3;
        c = (c & 0x0F) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3F);
    } else {
        *width = 4;
        c = (c & 0x07) << 18 | (s[1] & 0x3Fu) << 12 | (s[2] & 0x3Fu) << 6 | (s[3] & 0x3F);
    }
    return e->pages[e->page_of[c / PAGE] * PAGE + c % PAGE];
}

static const u8 *run(const Encoder *e, const u8 *s, const u8 *end, u32 set) {
    unsigned width;
    while (IN(at(e, s, end, &width), set)) s += width;
    return s;
}

/* A contraction behind a word, in any case; U+017F is a small s too. */
static const u8 *contracted(const u8 *s, const u8 *end) {
    size_t left = (size_t)(end - s);
    if (left < 2 || *s != '\'') return s;
    u8 first = s[1] | 0x20, second = left > 2 ? s[2] | 0x20 : 0;
    if (s[1] < 0x80 && strchr("stmd", first) && first) return s + 2;
    if (left > 2 && s[1] == 0xC5 && s[2] == 0xBF) return s + 3;
    if (s[1] >= 0x80 || (left > 2 && s[2] >= 0x80)) return s;
    if ((first == 'r' || first == 'v') && second == 'e') return s + 3;
    return first == 'l' && second == 'l' ? s + 3 : s;
}

/* A word that ends in lower case: upper case, then one or more lower; NULL if there is none.
   Characters that are either go to the first part, and the last of them back if need be. */
static const u8 *lower_word(const Encoder *e, const u8 *s, const u8 *end) {
    const u8 *spare = NULL, *p = s;
    unsigned width, class;
    while (IN(class = at(e, p, end, &width), ANY_UPPER)) {
        p += width;
        if (IN(class, EITHER)) spare = p;
    }
    return class == LOWER ? run(e, p, end, ANY_LOWER) : spare;
}

/* One that may be all upper case. */
static const u8 *upper_word(const Encoder *e, const u8 *s, const u8 *end) {
    const u8 *p = run(e, s, end, ANY_UPPER);
    return p == s ? NULL : run(e, p, end, ANY_LOWER);
}

static const u8 *word(const Encoder *e, const u8 *s, const u8 *end, unsigned class,
                      unsigned width) {
    const u8 *p = NULL;
    int prefixed = IN(class, PREFIX) != 0;
    if (prefixed) p = lower_word(e, s + width, end);
    if (!p) p = lower_word(e, s, end);
    if (!p && prefixed) p = upper_word(e, s + width, end);
    if (!p) p = upper_word(e, s, end);
    return p ? contracted(p, end) : NULL;
}

static const u8 *blanks(const Encoder *e, const u8 *s, const u8 *end) {
    const u8 *p = s, *last = s, *line = NULL;
    unsigned width, class;
    while (IN(class = at(e, p, end, &width), BLANK)) {
        last = p;
        p += width;
        if (class == LINE_END) line = p;
    }
    if (line) return line;
    /* The last blank belongs to what follows, unless it is the only one. */
    return p == end || last == s ? p : last;
}

/* Where the piece that begins at `s` ends. */
static const u8 *piece(const Encoder *e, const u8 *s, const u8 *end) {
    unsigned width, class = at(e, s, end, &width), next;
    const u8 *p;
    if (class == NUMBER) {
        p = s;
        for (int i = 0; i < 3 && at(e, p, end, &width) == NUMBER; i++) p += width;
        return p;
    }
    if (class != LINE_END && (p = word(e, s, end, class, width))) return p;
    p = *s == ' ' ? s + 1 : s;
    if (IN(at(e, p, end, &next), SYMBOL)) {
        p = run(e, p, end, SYMBOL);
        while (p < end && (*p == '\r' || *p == '\n' || *p == '/')) p++;
        return p;
    }
    return blanks(e, s, end);
}

static int encode(const Encoder *e, const u8 *s, size_t n, Found *found) {
    const u8 *end = s + n;
    int failed = 0;
    while (s < end && !failed) {
        const u8 *next = piece(e, s, end);
        failed = merge(e, s, (size_t)(next - s), found);
        s = next;
    }
    return failed;
}
