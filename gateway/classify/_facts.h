/* The facts that `signals.py` reads in a task, from the same tables, handed over by Python.

   Included by `_swift.c`. Texts are code points here; words are looked up by their hash, phrases
   by their first character. */

#define MOST_DEMANDS 9   /* numbers of a list that one digit spells */
#define SMALL_WORD 32    /* among the bits of a word: greetings consist of such; below: kind + 1 */

typedef struct { u32 hash, from, length, value; } Word;

typedef struct {
    u32 *letters;
    Word *words;
    size_t mask, longest;
} Words;

typedef struct {
    u32 *letters;
    u32 *from, *next, *value;   /* where one begins, the next with its first letter, its value */
    size_t count;
    u32 first[64];              /* by the first letter's last bits, one more than the number */
} Phrases;

static inline u32 mixed(u32 hash, u32 letter) { return (hash ^ letter) * 0x9E3779B1u; }

/* ── making the tables ─────────────────────────────────────────────────────── */

static void drop_words(Words *of) {
    PyMem_Free(of->letters);
    PyMem_Free(of->words);
}

static void drop_phrases(Phrases *of) {
    PyMem_Free(of->letters);
    PyMem_Free(of->from);
}

/* All letters of the texts in a list of (text, value), one after the other. */
static u32 *letters_of(PyObject *list) {
    size_t n = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *text, *value;
        if (!PyArg_ParseTuple(PyList_GET_ITEM(list, i), "UO", &text, &value)) return NULL;
        n += (size_t)PyUnicode_GET_LENGTH(text);
    }
    u32 *letters = PyMem_Malloc((n + 1) * sizeof *letters), *at = letters;
    if (!letters) return (u32 *)PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *text = PyTuple_GET_ITEM(PyList_GET_ITEM(list, i), 0);
        if (!PyUnicode_AsUCS4(text, at, PyUnicode_GET_LENGTH(text) + 1, 0)) {
            PyMem_Free(letters);
            return NULL;
        }
        at += PyUnicode_GET_LENGTH(text);
    }
    return letters;
}

static int make_words(Words *of, PyObject *list) {
    size_t count = (size_t)PyList_GET_SIZE(list), size = 64;
    while (size < 4 * count) size *= 2;
    of->mask = size - 1;
    if (!(of->letters = letters_of(list))) return -1;
    if (!(of->words = PyMem_Calloc(size, sizeof(Word)))) return PyErr_NoMemory(), -1;
    u32 from = 0;
    for (size_t i = 0; i < count; i++) {
        PyObject *pair = PyList_GET_ITEM(list, (Py_ssize_t)i);
        size_t length = (size_t)PyUnicode_GET_LENGTH(PyTuple_GET_ITEM(pair, 0));
        u32 hash = 0;
        for (size_t k = 0; k < length; k++) hash = mixed(hash, of->letters[from + k]);
        size_t at = hash & of->mask;
        while (of->words[at].length) at = (at + 1) & of->mask;
        of->words[at] = (Word){hash, from, (u32)length,
                               (u32)PyLong_AsUnsignedLong(PyTuple_GET_ITEM(pair, 1))};
        if (length > of->longest) of->longest = length;
        from += (u32)length;
    }
    return PyErr_Occurred() ? -1 : 0;
}

static int make_phrases(Phrases *of, PyObject *list) {
    size_t count = of->count = (size_t)PyList_GET_SIZE(list);
    if (!(of->letters = letters_of(list))) return -1;
    of->from = PyMem_Calloc(3 * count + 3, sizeof(u32));
    if (!of->from) return PyErr_NoMemory(), -1;
    of->next = of->from + count + 1;
    of->value = of->next + count + 1;
    for (size_t i = 0; i < count; i++) {
        PyObject *pair = PyList_GET_ITEM(list, (Py_ssize_t)i);
        of->value[i] = (u32)PyLong_AsUnsignedLong(PyTuple_GET_ITEM(pair, 1));
        of->from[i + 1] = of->from[i] + (u32)PyUnicode_GET_LENGTH(PyTuple_GET_ITEM(pair, 0));
        u32 *link = &of->first[of->letters[of->from[i]] & 63];
        while (*link) link = &of->next[*link - 1];
        *link = (u32)i + 1;
    }
    return PyErr_Occurred() ? -1 : 0;
}

/* ── looking them up ───────────────────────────────────────────────────────── */

static u32 word_value(const Words *in, const u32 *s, size_t n, u32 hash) {
    if (n > in->longest) return 0;
    for (size_t at = hash & in->mask; in->words[at].length; at = (at + 1) & in->mask) {
        const Word *word = &in->words[at];
        if (word->hash == hash && word->length == n &&
            !memcmp(in->letters + word->from, s, n * sizeof *s))
            return word->value;
    }
    return 0;
}

/* The first phrase, in the order of their list, that stands at `s`: one more than its number. */
static inline u32 phrase_at(const Phrases *in, const u32 *s, const u32 *end) {
    for (u32 i = in->first[*s & 63]; i; i = in->next[i - 1]) {
        u32 from = in->from[i - 1], length = in->from[i] - from, k = 0;
        if (length > (size_t)(end - s)) continue;
        while (k < length && in->letters[from + k] == s[k]) k++;
        if (k == length) return i;
    }
    return 0;
}

static int any_phrase(const Phrases *in, const u32 *s, const u32 *end) {
    for (; s < end; s++)
        if (phrase_at(in, s, end)) return 1;
    return 0;
}

/* The bits of those of at most 32 phrases that stand anywhere. */
static u32 all_phrases(const Phrases *in, const u32 *s, const u32 *end) {
    u32 found = 0;
    for (; s < end; s++) {
        u32 i = phrase_at(in, s, end);
        /* One that begins like another, longer one stands there too. */
        for (; i; i = in->next[i - 1]) {
            u32 from = in->from[i - 1], length = in->from[i] - from;
            if (length <= (size_t)(end - s) &&
                !memcmp(in->letters + from, s, length * sizeof *s))
                found |= 1u << (i - 1);
        }
    }
    return found;
}

/* ── lower case ────────────────────────────────────────────────────────────── */

#define DOTTED_I 0x130   /* becomes two */
#define SIGMA 0x3A3      /* depends on what is around it */

static int lowered(u32 *s, size_t n) {
    for (size_t i = 0; i < n; i++) {
        u32 c = s[i];
        if (c < 0x80) s[i] = c - 'A' < 26 ? c | 0x20 : c;
        else if (c == DOTTED_I || c == SIGMA) return ODD;
        else s[i] = Py_UNICODE_TOLOWER(c);
    }
    return 0;
}

static u32 widest(const u32 *s, size_t n) {
    u32 all = 0;
    for (size_t i = 0; i < n; i++) all |= s[i];
    return all;
}

/* ── kinds of work ─────────────────────────────────────────────────────────── */

#define MOST_KINDS 16

typedef struct {
    PyObject *name;
    int small, demanding;
    double easy;         /* 0: of no influence */
    int64_t answer;      /* tokens of a usual one */
} Kind;

/* The kind that the first telling word names; code and prose yield to what is demanding. */
typedef struct { int named, done; } Naming;

static inline void name_by(Naming *naming, const Kind *kinds, int other, u32 value) {
    if (naming->done || !(value & (SMALL_WORD - 1))) return;
    int kind = (int)(value & (SMALL_WORD - 1)) - 1;
    if (kinds[kind].demanding || (kinds[kind].small && naming->named == other)) {
        naming->named = kind;
        naming->done = 1;
    } else if (naming->named == other) {
        naming->named = kind;
    }
}

/* What separates words beside white space: in ASCII all punctuation, elsewhere the few marks that
   matter. */
typedef struct { u8 ascii[128], low[128]; u32 high[16]; size_t count; } Marks;

static void make_marks(Marks *of, PyObject *ascii, PyObject *elsewhere) {
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(ascii); i++)
        of->ascii[PyUnicode_READ_CHAR(ascii, i) & 127] = 1;
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(elsewhere); i++) {
        u32 c = PyUnicode_READ_CHAR(elsewhere, i);
        if (c < 128) of->low[c] = 1;
        else if (of->count < 16) of->high[of->count++] = c;
    }
    for (u32 c = 0; c < 128; c++) {
        of->ascii[c] |= Py_UNICODE_ISSPACE(c) != 0;
        of->low[c] |= Py_UNICODE_ISSPACE(c) != 0;
    }
}

static inline int separates(const Marks *marks, u32 c, int ascii) {
    if (c < 0x80) return ascii ? marks->ascii[c] : marks->low[c];
    for (size_t i = 0; i < marks->count; i++)
        if (marks->high[i] == c) return 1;
    return Py_UNICODE_ISSPACE(c);
}

/* ── what a text lists and asks ────────────────────────────────────────────── */

typedef struct { int64_t asked, listed, dashes; int fenced; } Counted;

static Counted count_marks(const u32 *s, size_t n, int ascii, int most) {
    Counted found = {0};
    u32 numbers = 0;
    for (size_t i = 0; i < n; i++) {
        u32 c = s[i];
        if (c == '?' || (!ascii && c == 0xFF1F)) found.asked++;
        else if (c == '`' && i + 2 < n && s[i + 1] == '`' && s[i + 2] == '`') found.fenced = 1;
        else if (c == '\n' && i + 2 < n) {
            if (s[i + 1] == '-' && s[i + 2] == ' ') found.dashes++;
            else if (s[i + 2] == '.' && s[i + 1] - '2' < (u32)(most - 1))
                numbers |= 1u << (s[i + 1] - '0');
        }
    }
    if (numbers & 4)
        for (int k = 2; k <= most; k++)
            if (numbers >> k & 1) found.listed = k;
    return found;
}

static inline int is_digit(u32 c) { return c - '0' < 10; }

/* A length in words that is stated: `([1-9][0-9]{1,4})[ -]?(unit)`, the first from the left. */
static int64_t words_wanted(const Phrases *units, const u32 *s, const u32 *end) {
    if (!any_phrase(units, s, end)) return 0;
    for (; s < end; s++) {
        if (*s - '1' >= 9) continue;
        size_t digits = 1;
        while (digits < 5 && s + digits < end && is_digit(s[digits])) digits++;
        for (; digits >= 2; digits--) {
            const u32 *unit = s + digits;
            int joined = unit < end && (*unit == ' ' || *unit == '-');
            if ((joined && unit + 1 < end && phrase_at(units, unit + 1, end)) ||
                (unit < end && phrase_at(units, unit, end))) {
                int64_t wanted = 0;
                for (size_t i = 0; i < digits; i++) wanted = 10 * wanted + (int64_t)(s[i] - '0');
                return wanted;
            }
        }
    }
    return 0;
}

/* ── scripts ───────────────────────────────────────────────────────────────── */

#define MOST_BLOCKS 64
#define MOST_SCRIPTS 32

typedef struct {
    u32 starts[MOST_BLOCKS];
    int scripts[MOST_BLOCKS];          /* by block; 0 is Latin or no letter */
    PyObject *words[MOST_SCRIPTS];     /* by script */
    int count, sample;
} Scripts;

/* The script most letters of a text are in; 0 for Latin and for no letters. */
static int script_of(const Scripts *in, const u32 *s, size_t n) {
    size_t step = n / (size_t)in->sample + 1;
    u32 highest = 0;
    for (size_t i = 0; i < n; i += step) highest = s[i] > highest ? s[i] : highest;
    if (highest < in->starts[1]) return 0;
    int found[MOST_SCRIPTS] = {0}, order[MOST_SCRIPTS], kinds = 0, latin = 0;
    for (size_t i = 0; i < n; i += step) {
        int block = in->count - 1;
        while (in->starts[block] > s[i]) block--;
        int script = in->scripts[block];
        if (!script) latin += Py_UNICODE_ISALPHA(s[i]) != 0;
        else if (!found[script]++) order[kinds++] = script;
    }
    int best = 0;
    for (int i = 0; i < kinds; i++)
        if (!best || found[order[i]] > found[best]) best = order[i];
    return best && found[best] > latin ? best : 0;
}
