/* What follows from what was read: the quality that published scores leave, the answer to expect,
   words for people, the caller's limits and options.

   Included by `_swift.c`; `_reader.h` says what it is for. */

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
