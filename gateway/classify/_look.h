/* Reads one call: its sizes, what is asked, of which kind it is, how many tokens it has.

   Included by `_swift.c`; `_reader.h` says what it is for. */

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
