/* What a reader of calls knows: its figures and tables, what it remembers, tokens and quality.

   Included by `_swift.c`; `_reader.h` says what it is for. */

enum { TASK_HEAD = 1500, TASK_TAIL = 500, TASK = TASK_HEAD + TASK_TAIL };
enum { READ_HEAD = 600, READ_TAIL = 200, READ = READ_HEAD + READ_TAIL };
enum { ENDS_HEAD = 200, ENDS_TAIL = 100, ENDS = ENDS_HEAD + ENDS_TAIL };
enum { CONTEXT = 500, MOST_LIMIT = 1 << 30 };
#define REMEMBERED 1024   /* a power of two */
#define MARKS 64          /* of characters that are not read as they stand, in pairs */

/* ── what is remembered ────────────────────────────────────────────────────── */

typedef struct { int64_t tokens, more; double quality[3]; } Value;
typedef struct { u64 hash; u32 size, room; u8 *bytes; Value value; } Entry;
typedef struct { Entry entries[REMEMBERED]; } Memo;   /* two places for each text */

static Entry *place_of(Memo *memo, const u8 *s, size_t n, u64 hash, int *known) {
    Entry *at = &memo->entries[hash & (REMEMBERED - 2)];
    for (int i = 0; i < 2; i++)
        if (at[i].hash == hash && at[i].size == n && at[i].bytes && !memcmp(at[i].bytes, s, n)) {
            *known = 1;
            return &at[i];
        }
    *known = 0;
    return &at[hash >> 40 & 1];
}

static void keep_text(Entry *entry, const u8 *s, size_t n, u64 hash, const Value *value) {
    if (entry->room < n + 1) {
        u8 *bytes = PyMem_Realloc(entry->bytes, n + 1);
        if (!bytes) return;
        entry->bytes = bytes;
        entry->room = (u32)n + 1;
    }
    memcpy(entry->bytes, s, n);
    entry->hash = hash;
    entry->size = (u32)n;
    entry->value = *value;
}

static void forget(Memo *memo) {
    for (size_t i = 0; memo && i < REMEMBERED; i++) PyMem_Free(memo->entries[i].bytes);
    PyMem_Free(memo);
}

/* ── what a reader knows ───────────────────────────────────────────────────── */

/* In the order of `gateway.classify.reader`. */
typedef struct {
    double lean, gain_step, lean_gain, full_step, lean_full, full_offset, gain_most, left;
    double pseudo_bytes, word_tokens, gap, foreign;
    struct { double nano, mini; } tools, long_, very_long, some_turns, many_turns, images,
        sized_code, reasoning, many_demands, schema;
} Figures;

typedef struct {
    int64_t field, offset, pseudo_tokens, exact_chars, exact_texts, follow_up;
    int64_t json_bytes_per_token, json_slack, longest_token, most_choices;
    int64_t small_talk_chars, short_answer, demands;
    int64_t long_, very_long, sized_code, some_turns, many_turns;
    int64_t tool_answer, schema_answer, schema_most, schema_bytes;
    int64_t small_talk, label, translate, code, short_, other;   /* kinds */
    int64_t tools;                                               /* a bit of needs */
    int64_t short_task, again;
} Numbers;

typedef struct {
    PyObject_HEAD
    Encoder *encoder;
    int64_t *pairs;
    double *stretched;
    size_t pairs_count, stretched_count;
    Figures f;
    Numbers k;
    Kind kinds[MOST_KINDS];
    Words words;
    Phrases runs, closed, either, code, units;
    Marks marks;
    Scripts scripts;
    u32 changed[MARKS], like_latin[2];
    size_t changed_count;
    PyObject *code_word, *demands_word;
    PyObject *options, *option_names;   /* what stands beside the messages: a function, members */
    PyObject *by_marks;                 /* a function: the kind that a short task's marks show */
    PyTypeObject *made;                 /* Assessment */
    PyObject *manner;                   /* of an ordinary call */
    PyObject *needs;                    /* a list of flags by their bits */
    Memo *judged, *counted, *defined;
} Reader;

typedef struct {
    int64_t needs, tools, tool_bytes, schema_bytes, stored, thinking;
} Options;

/* Everything known of one call. */
typedef struct {
    Walk walk;
    Options also;
    int64_t chars, text_bytes, length, tokens, low, high, sample, read, allowed, choices;
    int plain, limited, task_ascii;
    u32 task[TASK];
    size_t task_length;
    int kind, told, has_code, script;   /* `told`: with code where nothing else was named */
    int64_t demands, words_wanted;
    double nano, mini, full;
} Look;

/* ── tokens and quality ────────────────────────────────────────────────────── */

/* Letters as UTF-8; -1 where half of a surrogate pair stands. */
static int64_t spelled(const u32 *s, size_t n, u8 *out) {
    u8 *at = out;
    for (size_t i = 0; i < n; i++) {
        u32 c = s[i];
        if (c < 0x80) *at++ = (u8)c;
        else if (c < 0x800) *at++ = (u8)(0xC0 | c >> 6), *at++ = (u8)(0x80 | (c & 63));
        else if ((c & 0xFFFFF800) == 0xD800) return -1;
        else {
            if (c < 0x10000) *at++ = (u8)(0xE0 | c >> 12);
            else *at++ = (u8)(0xF0 | c >> 18), *at++ = (u8)(0x80 | (c >> 12 & 63));
            *at++ = (u8)(0x80 | (c >> 6 & 63));
            *at++ = (u8)(0x80 | (c & 63));
        }
    }
    return at - out;
}

static double logistic(double x) {
    if (x > 60.0) return 1.0;
    return x > -60.0 ? 1.0 / (1.0 + exp(-x)) : 0.0;
}

/* `Difficulty.estimate`: the sums, the curves. */
static void estimate(const Reader *r, const Found *found, Value *value) {
    const Figures *f = &r->f;
    int64_t summed = 0, count = (int64_t)found->count;
    for (size_t i = 0; i < found->count; i++) {
        size_t id = found->ids[i] < r->pairs_count ? found->ids[i] : r->pairs_count - 1;
        summed += r->pairs[id];
    }
    double weight = (double)count + f->lean;
    int64_t lower = (summed & ((1LL << r->k.field) - 1)) - r->k.offset * count;
    double gain = ((double)(summed >> r->k.field) * f->gain_step + f->lean_gain) / weight;
    gain += r->stretched[found->count < r->stretched_count ? found->count
                                                           : r->stretched_count - 1];
    double best = logistic(f->full_offset + ((double)lower * f->full_step + f->lean_full) / weight);
    double lost = f->gain_most * logistic(gain);
    if (lost > best) lost = best;
    *value = (Value){count, 0, {best - lost, best - lost * f->left, best}};
}

/* A task's tokens and quality, or (`judging` NULL: only) its tokens, remembered. */
static int counted(Reader *r, const u8 *s, size_t n, int judging, Value *value) {
    Memo *memo = judging ? r->judged : r->counted;
    u64 hash = hash_of(s, n);
    int known, failed;
    Entry *entry = place_of(memo, s, n, hash, &known);
    if (known) return *value = entry->value, 0;
    Found found = {.count = 0, .room = 512};
    found.ids = judging ? found.few : NULL;
    failed = encode(r->encoder, s, n, &found);
    if (!failed && judging) estimate(r, &found, value);
    else *value = (Value){(int64_t)found.count, 0, {0}};
    let_go(&found);
    if (failed) return PyErr_NoMemory(), -1;
    keep_text(entry, s, n, hash, value);
    return 0;
}

static int counted_text(Reader *r, PyObject *text, int64_t *tokens) {
    u8 bytes[4 * TASK];
    Value value;
    size_t n = (size_t)PyUnicode_GET_LENGTH(text);
    if (PyUnicode_IS_ASCII(text)) {
        if (counted(r, PyUnicode_DATA(text), n, 0, &value)) return -1;
    } else {
        u32 letters[TASK];
        if (n > TASK || !PyUnicode_AsUCS4(text, letters, TASK, 0)) return ODD;
        int64_t size = spelled(letters, n, bytes);
        if (size < 0) return ODD;
        if (counted(r, bytes, (size_t)size, 0, &value)) return -1;
    }
    *tokens += value.tokens;
    return 0;
}
