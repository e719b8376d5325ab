/* How long texts and turns are, and their characters.

   Included by `_swift.c`, after `_walk.h`. */

#define BLOCK 4096

/* UTF-8 bytes beyond one a character; -1 where half of a surrogate pair stands. Blocks are counted
   in 16 bits, which compilers make eight lanes of. */
static int64_t beyond_2(const Py_UCS2 *s, size_t n) {
    int64_t more = 0;
    uint16_t halves = 0;
    for (size_t from = 0; from < n; from += BLOCK) {
        size_t length = n - from < BLOCK ? n - from : BLOCK;
        const Py_UCS2 *block = s + from;
        uint16_t sum = 0;
        for (size_t i = 0; i < length; i++) {
            uint16_t c = block[i];
            sum += (uint16_t)((uint16_t)(c > 0x7F) + (uint16_t)(c > 0x7FF));
            halves |= (uint16_t)((uint16_t)(c & 0xF800) == 0xD800);
        }
        more += sum;
    }
    return halves ? -1 : more;
}

static int64_t beyond_4(const Py_UCS4 *s, size_t n) {
    int64_t more = 0;
    uint32_t halves = 0;
    for (size_t from = 0; from < n; from += BLOCK) {
        size_t length = n - from < BLOCK ? n - from : BLOCK;
        uint32_t sum = 0;
        for (size_t i = from; i < from + length; i++) {
            uint32_t c = s[i];
            sum += (uint32_t)(c > 0x7F) + (uint32_t)(c > 0x7FF) + (uint32_t)(c > 0xFFFF);
            halves |= (uint32_t)((c & 0xFFFFF800) == 0xD800);
        }
        more += sum;
    }
    return halves ? -1 : more;
}

static int64_t beyond_1(const Py_UCS1 *s, size_t n) {
    int64_t more = 0;
    for (size_t from = 0; from < n; from += BLOCK) {
        size_t length = n - from < BLOCK ? n - from : BLOCK;
        uint16_t sum = 0;
        for (size_t i = from; i < from + length; i++) sum += (uint16_t)(s[i] >> 7);
        more += sum;
    }
    return more;
}

/* UTF-8 bytes of a text; -1 where it has none. */
static int64_t utf8_size(PyObject *text) {
    size_t n = (size_t)PyUnicode_GET_LENGTH(text);
    int64_t more = 0;
    if (PyUnicode_IS_ASCII(text)) return (int64_t)n;
    switch (PyUnicode_KIND(text)) {
    case PyUnicode_1BYTE_KIND: more = beyond_1(PyUnicode_1BYTE_DATA(text), n); break;
    case PyUnicode_2BYTE_KIND: more = beyond_2(PyUnicode_2BYTE_DATA(text), n); break;
    default: more = beyond_4(PyUnicode_4BYTE_DATA(text), n);
    }
    return more < 0 ? -1 : (int64_t)n + more;
}

static int64_t length_of(const Walk *w, Range of) {
    int64_t length = of.to > of.from ? (int64_t)(of.to - of.from) - 1 : 0;
    for (size_t i = of.from; i < of.to; i++) length += PyUnicode_GET_LENGTH(w->texts[i]);
    return length;
}

/* Characters of a turn, its texts on a line each, from the one at `skip` on. */
static size_t copy(const Walk *w, Range of, int64_t skip, size_t most, u32 *out) {
    size_t done = 0;
    for (size_t i = of.from; i < of.to && done < most; i++) {
        PyObject *text = w->texts[i];
        int64_t n = PyUnicode_GET_LENGTH(text), from = skip < n ? skip : n;
        skip -= from;
        int kind = PyUnicode_KIND(text);
        const void *data = PyUnicode_DATA(text);
        for (; from < n && done < most; from++) out[done++] = PyUnicode_READ(kind, data, from);
        if (i + 1 == of.to || done == most) continue;
        if (skip) skip--;
        else out[done++] = '\n';
    }
    return done;
}
