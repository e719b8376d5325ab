/* A whole assessment at once: what `assess.py` does step by step, for an ordinary call.

   The steps, their order and every figure are Python's; a test holds both against each other. What
   is not ordinary (an image, a part of unknown shape, half of a surrogate pair, a task that is not
   read as it stands) is left to Python: `read` then gives None.

   Included by `_swift.c`. The interpreter is held throughout: beside the tokens of at most 2,800
   characters, the work is a few instructions a character and some fifty a message. */

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

/* ── reading ───────────────────────────────────────────────────────────────── */

static int sized(Look *l) {
    for (size_t i = 0; i < l->walk.count; i++) {
        int64_t bytes = utf8_size(l->walk.texts[i]);
        if (bytes < 0) return ODD;
        l->chars += PyUnicode_GET_LENGTH(l->walk.texts[i]);
        l->text_bytes += bytes;
    }
    return 0;
}

/* The head and the tail of what is asked. */
static void take_task(Look *l) {
    l->length = length_of(&l->walk, l->walk.asked);
    if (l->length <= TASK) {
        l->task_length = copy(&l->walk, l->walk.asked, 0, TASK, l->task);
    } else {
        copy(&l->walk, l->walk.asked, 0, TASK_HEAD, l->task);
        copy(&l->walk, l->walk.asked, l->length - TASK_TAIL, TASK_TAIL, l->task + TASK_HEAD);
        l->task_length = TASK;
    }
    l->task_ascii = widest(l->task, l->task_length) < 0x80;
}

/* Whether a letter is out of place: in one of the pairs, or of another alphabet beside Latin. */
static int strange(const Reader *r, const u32 *s, size_t i, size_t n) {
    for (size_t k = 0; k < r->changed_count; k += 2)
        if (s[i] >= r->changed[k] && s[i] <= r->changed[k + 1]) return 1;
    if (s[i] < r->like_latin[0] || s[i] > r->like_latin[1]) return 0;
    return (i && (s[i - 1] | 0x20) - 'a' < 26) || (i + 1 < n && (s[i + 1] | 0x20) - 'a' < 26);
}

/* Whether a task is read as it stands; if in doubt it is not (`gateway.classify.asking`). */
static int stands(const Reader *r, const u32 *s, size_t n) {
    size_t blanks = 0, lower = 0, upper = 0, again = (size_t)r->k.again;
    for (size_t i = 0; i < n; i++) {
        u32 c = s[i];
        if (c < 0x80) {
            lower += c - 'a' < 26;
            upper += c - 'A' < 26;
            blanks += c == ' ';
            if (c == '\n' && i + 1 < n && s[i + 1] == '\n') return 0;
        } else {
            if (strange(r, s, i, n)) return 0;
            lower += Py_UNICODE_ISLOWER(c) != 0;
            upper += Py_UNICODE_ISUPPER(c) || Py_UNICODE_ISTITLE(c);
        }
    }
    if ((upper && !lower) || 5 * blanks >= 2 * n) return !n;
    for (size_t i = again; i + again <= n; i++)
        if (s[i] == s[0] && !memcmp(s + i, s, again * sizeof *s)) return 0;
    return 1;
}

/* The ends of a task, where what is asked for is looked for, in lower case. */
static int take_ends(const u32 *s, size_t n, u32 *ends, size_t *length) {
    if (n <= ENDS) {
        memcpy(ends, s, n * sizeof *s);
        *length = n;
    } else {
        memcpy(ends, s, ENDS_HEAD * sizeof *s);
        ends[ENDS_HEAD] = ' ';
        memcpy(ends + ENDS_HEAD + 1, s + n - ENDS_TAIL, ENDS_TAIL * sizeof *s);
        *length = ENDS + 1;
    }
    return lowered(ends, *length);
}

/* The kind that the words name; `small_talk` says whether they are nothing but a greeting. */
static int named(const Reader *r, const u32 *s, size_t n, int *small_talk) {
    int ascii = widest(s, n) < 0x80, some = 0, all = 1;
    Naming naming = {(int)r->k.other, 0};
    for (size_t from = 0; from < n;) {
        while (from < n && separates(&r->marks, s[from], ascii)) from++;
        if (from == n) break;
        u32 hash = 0;
        size_t to = from;
        for (; to < n && !separates(&r->marks, s[to], ascii); to++) hash = mixed(hash, s[to]);
        u32 value = word_value(&r->words, s + from, to - from, hash);
        some = 1;
        all &= (value & SMALL_WORD) != 0;
        name_by(&naming, r->kinds, (int)r->k.other, value);
        if (naming.done && !all) break;
        from = to;
    }
    *small_talk = some && all;
    return naming.named;
}

static int named_in_runs(const Reader *r, const u32 *s, const u32 *end) {
    Naming naming = {(int)r->k.other, 0};
    while (s < end && !naming.done) {
        u32 run = phrase_at(&r->runs, s, end);
        if (!run) {
            s++;
            continue;
        }
        name_by(&naming, r->kinds, (int)r->k.other, r->runs.value[run - 1]);
        s += r->runs.from[run] - r->runs.from[run - 1];
    }
    return naming.named;
}

/* What a short task's marks show, if it has any: Python's to say. Below 0: it could not. */
static int by_marks(const Reader *r, const Look *l, const u32 *ends, size_t n) {
    int comma = 0, asks = 0, quotes = !l->task_ascii;
    if ((int64_t)l->task_length > r->k.short_task) return (int)r->k.other;
    for (size_t i = 0; i < l->task_length; i++) {
        comma |= l->task[i] == ',';
        asks |= l->task[i] == '?';
        quotes |= l->task[i] == ':' || l->task[i] == '"';
    }
    if (!quotes && !(comma && asks)) return (int)r->k.other;
    PyObject *task = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, l->task,
                                               (Py_ssize_t)l->task_length);
    PyObject *lower = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, ends, (Py_ssize_t)n);
    PyObject *found = NULL;
    if (task && lower) found = PyObject_CallFunctionObjArgs(r->by_marks, task, lower, NULL);
    int kind = found ? (int)PyLong_AsLong(found) : -1;
    Py_XDECREF(task);
    Py_XDECREF(lower);
    Py_XDECREF(found);
    return kind;
}

static int kind_of(const Reader *r, const Look *l, const u32 *ends, size_t n) {
    int small_talk, kind = named(r, ends, n, &small_talk), other = (int)r->k.other;
    if (small_talk && (int64_t)l->task_length <= r->k.small_talk_chars)
        return (int)r->k.small_talk;
    if (kind == other && l->script) kind = named_in_runs(r, ends, ends + n);
    if (kind == other && (l->script || any_phrase(&r->either, ends, ends + n)) &&
        any_phrase(&r->closed, ends, ends + n))
        return (int)r->k.label;
    return kind == other ? by_marks(r, l, ends, n) : kind;
}

/* Two kinds of marks that prose does not have; one of four stands in nearly all of them. */
static int has_marks_of_code(const Reader *r, const u32 *ends, size_t n) {
    size_t i = 0;
    while (i < n && ends[i] != '(' && ends[i] != '=' && ends[i] != '<' && ends[i] != '&') i++;
    if (i == n) return 0;
    u32 found = all_phrases(&r->code, ends, ends + n);
    return (found & (found - 1)) != 0;
}

/* What a system prompt defines: a kind of small work, and how many demands. */
static int defines(Reader *r, const Walk *w, int *kind, int64_t *demands) {
    *kind = (int)r->k.other;
    *demands = 0;
    if (empty(w, w->context)) return 0;
    u32 letters[CONTEXT];
    u8 bytes[4 * CONTEXT];
    size_t n = copy(w, w->context, 0, CONTEXT, letters);
    int64_t size = spelled(letters, n, bytes);
    if (size < 0) return ODD;
    u64 hash = hash_of(bytes, (size_t)size);
    int known, unused;
    Entry *entry = place_of(r->defined, bytes, (size_t)size, hash, &known);
    if (!known) {
        Counted marks = count_marks(letters, n, 1, (int)r->k.demands);
        size_t head = n < ENDS_HEAD ? n : ENDS_HEAD;
        if (lowered(letters, head)) return ODD;
        int found = named(r, letters, head, &unused);
        if (!r->kinds[found].small) found = (int)r->k.other;
        int64_t most = marks.listed > marks.dashes ? marks.listed : marks.dashes;
        Value value = {found, most, {0}};
        keep_text(entry, bytes, (size_t)size, hash, &value);
        *kind = found;
        *demands = most;
        return 0;
    }
    *kind = (int)entry->value.tokens;
    *demands = entry->value.more;
    return 0;
}

/* `signals.read`, but for the words. */
static int find_facts(Reader *r, Look *l) {
    u32 ends[ENDS + 1];
    size_t n;
    int defined;
    int64_t demanded;
    if (take_ends(l->task, l->task_length, ends, &n)) return ODD;
    Counted marks = count_marks(l->task, l->task_length, l->task_ascii, (int)r->k.demands);
    l->script = l->task_ascii ? 0 : script_of(&r->scripts, l->task, l->task_length);
    if ((l->kind = kind_of(r, l, ends, n)) < 0) return ODD;
    int odd = defines(r, &l->walk, &defined, &demanded);
    if (odd) return odd;
    int other = (int)r->k.other;
    if (l->kind == other) l->kind = defined;
    if (l->kind == other && l->limited && l->allowed <= r->k.short_answer)
        l->kind = (int)r->k.short_;
    l->has_code = l->kind == r->k.code || marks.fenced || has_marks_of_code(r, ends, n);
    l->demands = marks.asked > marks.listed ? marks.asked : marks.listed;
    if (demanded > l->demands) l->demands = demanded;
    l->told = l->has_code && l->kind == other ? (int)r->k.code : l->kind;
    l->words_wanted = words_wanted(&r->units, ends, ends + n);
    return 0;
}

/* The best estimate of the prompt's tokens, and what they surely lie between. */
static int measure_tokens(Reader *r, Look *l, int64_t sampled) {
    const Numbers *k = &r->k;
    const Walk *w = &l->walk;
    if (l->plain && l->length <= READ && l->chars <= k->exact_chars &&
        (int64_t)w->count <= k->exact_texts) {
        int odd = 0, single = w->asked.to - w->asked.from == 1;
        l->tokens = w->overhead;
        for (size_t i = 0; !odd && i < w->count; i++) {
            if (single && i == w->asked.from) l->tokens += l->sample;
            else odd = counted_text(r, w->texts[i], &l->tokens);
        }
        l->low = l->high = l->tokens;
        return odd;
    }
    double rate = ((double)sampled + r->f.pseudo_bytes) / (double)(l->sample + k->pseudo_tokens);
    int64_t rest = l->text_bytes > sampled ? l->text_bytes - sampled : 0;
    int64_t json = l->also.tool_bytes + l->also.schema_bytes;
    l->low = (l->text_bytes + k->longest_token - 1) / k->longest_token;
    l->high = l->text_bytes + w->overhead;
    if (l->plain) l->low += w->overhead;
    else l->high += 2 * json + k->json_slack * (l->also.tools + 1);
    l->tokens = w->overhead + l->sample + (int64_t)((double)rest / rate);
    l->tokens += json / k->json_bytes_per_token;
    if (l->tokens < l->low) l->tokens = l->low;
    if (l->tokens > l->high) l->tokens = l->high;
    return 0;
}

/* The quality of a task with the turn before it, where it makes little sense alone. */
static int judge(Reader *r, Look *l, const u8 *task, size_t n) {
    u32 letters[CONTEXT];
    u8 bytes[4 * (CONTEXT + READ) + 1];
    Value value;
    if (l->kind != r->k.small_talk) {
        size_t before = copy(&l->walk, l->walk.before, 0, CONTEXT, letters);
        int64_t size = spelled(letters, before, bytes);
        if (size < 0) return ODD;
        bytes[size++] = '\n';
        memcpy(bytes + size, task, n);
        task = bytes;
        n += (size_t)size;
    }
    if (counted(r, task, n, 1, &value)) return -1;
    l->nano = value.quality[0], l->mini = value.quality[1], l->full = value.quality[2];
    return 0;
}

/* ── what published scores say ─────────────────────────────────────────────── */

static void temper(const Reader *r, Look *l) {
    const Figures *f = &r->f;
    const Numbers *k = &r->k;
    double nano_share = 1.0, mini_share = 1.0, gap = f->gap;
    int all = 1;
#define LOWER(share)                                                                             \
    do {                                                                                         \
        all = 0;                                                                                 \
        if ((share).nano < nano_share) nano_share = (share).nano;                                \
        if ((share).mini < mini_share) mini_share = (share).mini;                                \
    } while (0)
    if (l->also.needs & k->tools) LOWER(f->tools);
    if (l->tokens > k->very_long) LOWER(f->very_long);
    else if (l->tokens > k->long_) LOWER(f->long_);
    if (l->also.schema_bytes) LOWER(f->schema);
    if (l->kind != k->small_talk) {
        if (l->walk.turns >= k->many_turns) LOWER(f->many_turns);
        else if (l->walk.turns >= k->some_turns) LOWER(f->some_turns);
        if (l->has_code && l->tokens > k->sized_code) LOWER(f->sized_code);
        if (r->kinds[l->kind].demanding) LOWER(f->reasoning);
        if (l->demands >= k->demands) LOWER(f->many_demands);
    }
#undef LOWER
    double easy = r->kinds[l->kind].easy;
    gap *= easy != 0.0 ? easy : l->script ? f->foreign : 1.0;
    double nano = l->nano, mini = l->mini, full = l->full;
    if (all && gap == 1.0 && 0.0 <= nano && nano <= mini &&
        mini <= full && full <= 1.0)
        return;
    full = full < 0.0 ? 0.0 : full > 1.0 ? 1.0 : full;
    double kept = full * nano_share;
    nano = full - (full - nano) * gap;
    nano = kept < nano ? kept : nano;
    kept = full * mini_share;
    mini = full - (full - mini) * gap;
    mini = kept < mini ? kept : mini;
    l->nano = nano < 0.0 ? 0.0 : nano;
    l->mini = mini < l->nano ? l->nano : mini;
    l->full = full;
}

/* Tokens of the answers to expect. */
static int64_t answer_of(const Reader *r, const Look *l) {
    const Numbers *k = &r->k;
    int64_t expected;
    if (l->words_wanted) {
        expected = (int64_t)((double)l->words_wanted * r->f.word_tokens);
    } else if (l->also.schema_bytes) {
        expected = k->schema_answer + l->also.schema_bytes / k->schema_bytes;
        if (expected > k->schema_most) expected = k->schema_most;
    } else if (l->told == k->translate) {
        int64_t whole = l->sample * l->chars / (l->read ? l->read : 1);
        expected = 20 + (whole > l->sample ? whole : l->sample);
    } else if (l->told == k->other && l->also.tools) {
        expected = k->tool_answer;
    } else {
        expected = r->kinds[l->told].answer;
    }
    expected += l->also.thinking;
    return l->limited && l->allowed < expected ? l->allowed : expected;
}

/* ── words for people ──────────────────────────────────────────────────────── */

#define MOST_WORDS 16
typedef struct { PyObject *words[MOST_WORDS]; Py_ssize_t count; int failed; } Said;

static void say(Said *said, PyObject *word) {
    if (!word) said->failed = 1;
    else if (said->count < MOST_WORDS) said->words[said->count++] = word;
    else Py_DECREF(word);
}

/* Tens of thousands, a half to the even, as Python's `round(tokens, -4) // 1000` gives them. */
static int64_t thousands(int64_t tokens) {
    int64_t tens = tokens / 10000, rest = tokens % 10000;
    return 10 * (tens + (rest > 5000 || (rest == 5000 && tens % 2)));
}

static PyObject *words_of(const Reader *r, const Look *l) {
    const Numbers *k = &r->k;
    Said said = {.count = 0};
    if (l->kind != k->other) say(&said, Py_NewRef(r->kinds[l->kind].name));
    if (l->has_code && l->kind != k->code) say(&said, Py_NewRef(r->code_word));
    if (l->demands >= k->demands) say(&said, Py_NewRef(r->demands_word));
    if (l->script) say(&said, Py_NewRef(r->scripts.words[l->script]));
    if (l->also.tools > 1) say(&said, PyUnicode_FromFormat("%lld tools", (long long)l->also.tools));
    else if (l->also.tools) say(&said, PyUnicode_FromString("1 tool"));
    else if (l->also.needs & k->tools) say(&said, PyUnicode_FromString("tool results"));
    if (l->also.schema_bytes) say(&said, PyUnicode_FromString("json schema"));
    if (l->walk.turns >= k->some_turns)
        say(&said, PyUnicode_FromFormat("multi-turn %lld", (long long)l->walk.turns));
    if (l->tokens > k->long_)
        say(&said, PyUnicode_FromFormat("long context %lldk", (long long)thousands(l->tokens)));
    if (l->also.stored) say(&said, PyUnicode_FromString("stored conversation"));
    PyObject *words = said.failed ? NULL : PyTuple_New(said.count);
    for (Py_ssize_t i = 0; i < said.count; i++) {
        if (words) PyTuple_SET_ITEM(words, i, said.words[i]);
        else Py_DECREF(said.words[i]);
    }
    return words;
}

/* ── the caller's limits and options ───────────────────────────────────────── */

static int take_limits(const Reader *r, Look *l, PyObject *document) {
    PyObject *const limits[] = {s_max_completion_tokens, s_max_tokens, s_max_output_tokens};
    PyObject *const several[] = {s_n, s_best_of};
    int over;
    for (int i = 0; i < 3 && !l->limited; i++) {
        PyObject *limit = get(document, limits[i]);
        if (!limit || !PyLong_Check(limit) || limit == Py_True) continue;
        l->allowed = PyLong_AsLongLongAndOverflow(limit, &over);
        if (over > 0 || l->allowed > MOST_LIMIT) return ODD;
        l->limited = !over && l->allowed > 0;
    }
    l->choices = 1;
    for (int i = 0; i < 2; i++) {
        PyObject *wanted = get(document, several[i]);
        if (!wanted || !PyLong_Check(wanted)) continue;
        int64_t choices = PyLong_AsLongLongAndOverflow(wanted, &over);
        if (over > 0 || choices > r->k.most_choices) choices = r->k.most_choices;
        if (over >= 0 && choices > l->choices) l->choices = choices;
    }
    return 0;
}

/* What stands beside the messages, if anything does, is Python's to read. */
static int take_options(const Reader *r, Look *l, PyObject *document) {
    Py_ssize_t at = 0;
    PyObject *name, *value;
    l->also.needs = l->walk.needs;
    l->plain = l->walk.plain;
    int some = 0;
    while (!some && PyDict_Next(document, &at, &name, &value))
        if ((some = PySet_Contains(r->option_names, name)) < 0) return -1;
    if (!some) return 0;
    PyObject *found = PyObject_CallFunction(r->options, "OI", document, l->walk.needs);
    if (!found) return -1;
    Options *o = &l->also;
    if (found == Py_None) {
        Py_DECREF(found);
        return ODD;
    }
    int read = PyArg_ParseTuple(found, "LLLLLL", &o->needs, &o->tools, &o->tool_bytes,
                                &o->schema_bytes, &o->stored, &o->thinking);
    Py_DECREF(found);
    if (!read) return -1;
    l->plain = l->plain && !o->tools && o->schema_bytes < 1 && !o->stored;
    return 0;
}

/* ── one call ──────────────────────────────────────────────────────────────── */

static int look(Reader *r, Look *l, PyObject *document) {
    u32 excerpt[READ];
    u8 task[4 * READ];
    int odd = walk(&l->walk, document);
    if (!odd) odd = sized(l);
    if (!odd) odd = take_limits(r, l, document);
    if (!odd) odd = take_options(r, l, document);
    if (odd) return odd;
    find_asked(&l->walk);
    take_task(l);
    size_t n = l->task_length <= READ ? l->task_length : READ_HEAD;
    memcpy(excerpt, l->task, n * sizeof *excerpt);
    if (l->task_length > READ) {
        memcpy(excerpt + n, l->task + l->task_length - READ_TAIL, READ_TAIL * sizeof *excerpt);
        n = READ;
    }
    l->read = (int64_t)n;
    if (!stands(r, excerpt, n)) return ODD;
    int64_t size = spelled(excerpt, n, task);
    if (size < 0) return ODD;
    int follows = l->walk.turns > 1 && !empty(&l->walk, l->walk.before) &&
                  (int64_t)n < r->k.follow_up;
    Value value;
    if (counted(r, task, (size_t)size, !follows, &value)) return -1;
    l->sample = value.tokens;
    l->nano = value.quality[0], l->mini = value.quality[1], l->full = value.quality[2];
    if ((odd = measure_tokens(r, l, size))) return odd;
    if ((odd = find_facts(r, l))) return odd;
    if (follows && (odd = judge(r, l, task, (size_t)size))) return odd;
    temper(r, l);
    return 0;
}

static PyObject *assessment(const Reader *r, const Look *l) {
    PyObject *made = r->made->tp_alloc(r->made, 10);
    if (!made) return NULL;
    int64_t expected = answer_of(r, l) * l->choices;
    PyObject *needs = PyList_GetItem(r->needs, (Py_ssize_t)l->also.needs);
    PyObject *members[] = {
        PyLong_FromLongLong(l->tokens),
        Py_BuildValue("(LL)", (long long)l->low, (long long)l->high),
        PyLong_FromLongLong(expected),
        l->limited ? PyLong_FromLongLong(l->allowed * l->choices) : Py_NewRef(Py_None),
        Py_XNewRef(needs),
        Py_BuildValue("(ddd)", l->nano, l->mini, l->full),
        PyFloat_FromDouble(l->full - l->nano),
        words_of(r, l),
        PyTuple_New(0),
        Py_NewRef(r->manner),
    };
    int failed = 0;
    for (int i = 0; i < 10; i++) {
        failed |= !members[i];
        PyTuple_SET_ITEM(made, i, members[i]);
    }
    if (failed) Py_CLEAR(made);
    return made;
}

static PyObject *Reader_read(Reader *self, PyObject *document) {
    if (!PyDict_Check(document)) Py_RETURN_NONE;
    Look l;
    memset(&l, 0, offsetof(Look, task));
    l.walk.texts = l.walk.few;
    l.walk.room = FEW_TEXTS;
    l.walk.plain = 1;
    l.walk.tools = (unsigned)self->k.tools;
    int odd = look(self, &l, document);
    PyObject *made = odd ? NULL : assessment(self, &l);
    walk_over(&l.walk);
    if (odd == ODD && !PyErr_Occurred()) Py_RETURN_NONE;
    return made;
}

/* ── making one ────────────────────────────────────────────────────────────── */

static int copied(void *into, size_t size, PyObject *from) {
    Py_buffer view;
    if (PyObject_GetBuffer(from, &view, PyBUF_SIMPLE)) return -1;
    int fits = view.len == (Py_ssize_t)size;
    if (fits) memcpy(into, view.buf, size);
    else PyErr_SetString(PyExc_ValueError, "figures that are not as many as are wanted");
    PyBuffer_Release(&view);
    return fits ? 0 : -1;
}

static void *copy_of(PyObject *from, size_t *count) {
    Py_buffer view;
    if (PyObject_GetBuffer(from, &view, PyBUF_SIMPLE)) return NULL;
    void *made = PyMem_Malloc((size_t)view.len + 1);
    *count = (size_t)view.len / 8;
    if (made) memcpy(made, view.buf, (size_t)view.len);
    else PyErr_NoMemory();
    PyBuffer_Release(&view);
    return made;
}

static int make_kinds(Reader *r, PyObject *kinds) {
    if (PyList_GET_SIZE(kinds) > MOST_KINDS) return PyErr_SetNone(PyExc_ValueError), -1;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(kinds); i++) {
        Kind *kind = &r->kinds[i];
        long long answer;
        if (!PyArg_ParseTuple(PyList_GET_ITEM(kinds, i), "UiidL", &kind->name, &kind->small,
                              &kind->demanding, &kind->easy, &answer)) {
            kind->name = NULL;
            return -1;
        }
        Py_INCREF(kind->name);
        kind->answer = answer;
    }
    return 0;
}

static int make_scripts(Scripts *of, PyObject *blocks, PyObject *words, int sample) {
    if (PyList_GET_SIZE(blocks) > MOST_BLOCKS || PyList_GET_SIZE(words) > MOST_SCRIPTS)
        return PyErr_SetNone(PyExc_ValueError), -1;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(blocks); i++)
        if (!PyArg_ParseTuple(PyList_GET_ITEM(blocks, i), "Ii", &of->starts[i], &of->scripts[i]))
            return -1;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(words); i++)
        of->words[i] = Py_NewRef(PyList_GET_ITEM(words, i));
    of->count = (int)PyList_GET_SIZE(blocks);
    of->sample = sample;
    return 0;
}

static int make_memos(Reader *r) {
    r->judged = PyMem_Calloc(1, sizeof(Memo));
    r->counted = PyMem_Calloc(1, sizeof(Memo));
    r->defined = PyMem_Calloc(1, sizeof(Memo));
    return r->judged && r->counted && r->defined ? 0 : (PyErr_NoMemory(), -1);
}

/* What Python hands over, a tuple for each part of it. */
static int make_model(Reader *r, PyObject *model) {
    PyObject *encoder, *pairs, *stretched, *figures, *numbers;
    if (!PyArg_ParseTuple(model, "O!OOOO", &encoder_type, &encoder, &pairs, &stretched, &figures,
                          &numbers))
        return -1;
    r->encoder = (Encoder *)Py_NewRef(encoder);
    if (!(r->pairs = copy_of(pairs, &r->pairs_count))) return -1;
    if (!(r->stretched = copy_of(stretched, &r->stretched_count))) return -1;
    if (!r->pairs_count || !r->stretched_count) return PyErr_SetNone(PyExc_ValueError), -1;
    return copied(&r->f, sizeof r->f, figures) || copied(&r->k, sizeof r->k, numbers) ? -1 : 0;
}

static int make_tables(Reader *r, PyObject *tables) {
    PyObject *kinds, *words, *runs, *closed, *either, *code, *units;
    PyObject *ascii, *elsewhere, *changed, *like_latin;
    if (!PyArg_ParseTuple(tables, "O!O!O!O!O!O!O!UUUU", &PyList_Type, &kinds, &PyList_Type, &words,
                          &PyList_Type, &runs, &PyList_Type, &closed, &PyList_Type, &either,
                          &PyList_Type, &code, &PyList_Type, &units, &ascii, &elsewhere,
                          &changed, &like_latin))
        return -1;
    make_marks(&r->marks, ascii, elsewhere);
    r->changed_count = (size_t)PyUnicode_GET_LENGTH(changed);
    if (r->changed_count > MARKS || PyList_GET_SIZE(code) > 32)
        return PyErr_SetNone(PyExc_ValueError), -1;
    if (!PyUnicode_AsUCS4(changed, r->changed, MARKS, 0)) return -1;
    if (!PyUnicode_AsUCS4(like_latin, r->like_latin, 2, 0)) return -1;
    return make_kinds(r, kinds) || make_words(&r->words, words) || make_phrases(&r->runs, runs) ||
                   make_phrases(&r->closed, closed) || make_phrases(&r->either, either) ||
                   make_phrases(&r->code, code) || make_phrases(&r->units, units)
               ? -1
               : 0;
}

static int make_rest(Reader *r, PyObject *rest) {
    PyObject *blocks, *words, *code, *demands, *options, *marks, *names, *made, *manner, *needs;
    int sample;
    if (!PyArg_ParseTuple(rest, "O!O!iUUOOO!O!OO!", &PyList_Type, &blocks, &PyList_Type, &words,
                          &sample, &code, &demands, &options, &marks, &PyFrozenSet_Type,
                          &names, &PyType_Type, &made, &manner, &PyList_Type, &needs))
        return -1;
    r->code_word = Py_NewRef(code);
    r->demands_word = Py_NewRef(demands);
    r->options = Py_NewRef(options);
    r->by_marks = Py_NewRef(marks);
    r->option_names = Py_NewRef(names);
    r->made = (PyTypeObject *)Py_NewRef(made);
    r->manner = Py_NewRef(manner);
    r->needs = Py_NewRef(needs);
    return make_scripts(&r->scripts, blocks, words, sample) || make_memos(r) ? -1 : 0;
}

static void Reader_dealloc(Reader *self) {
    for (int i = 0; i < MOST_KINDS; i++) Py_XDECREF(self->kinds[i].name);
    for (int i = 0; i < MOST_SCRIPTS; i++) Py_XDECREF(self->scripts.words[i]);
    drop_words(&self->words);
    Phrases *const phrases[] = {&self->runs, &self->closed, &self->either, &self->code,
                                &self->units};
    for (int i = 0; i < 5; i++) drop_phrases(phrases[i]);
    PyObject *const held[] = {(PyObject *)self->encoder, self->code_word,       self->demands_word,
                              self->options,             self->option_names,    self->needs,
                              self->manner, (PyObject *)self->made, self->by_marks};
    for (int i = 0; i < 9; i++) Py_XDECREF(held[i]);
    forget(self->judged);
    forget(self->counted);
    forget(self->defined);
    PyMem_Free(self->pairs);
    PyMem_Free(self->stretched);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *Reader_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs)) {
    PyObject *model, *tables, *rest;
    if (!PyArg_ParseTuple(args, "O!O!O!", &PyTuple_Type, &model, &PyTuple_Type, &tables,
                          &PyTuple_Type, &rest))
        return NULL;
    Reader *self = (Reader *)type->tp_alloc(type, 0);
    if (self && (make_model(self, model) || make_tables(self, tables) || make_rest(self, rest)))
        Py_CLEAR(self);
    return (PyObject *)self;
}

static PyMethodDef reader_methods[] = {
    {"read", (PyCFunction)Reader_read, METH_O, "What is thought of a call; None: ask Python."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject reader_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "gateway.classify._swift.Reader",
    .tp_doc = "Assesses ordinary calls: Reader(model, tables, rest).",
    .tp_basicsize = sizeof(Reader),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = Reader_new,
    .tp_dealloc = (destructor)Reader_dealloc,
    .tp_methods = reader_methods,
};
