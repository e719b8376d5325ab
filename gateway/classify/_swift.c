/* Counts o200k_base tokens: the same tokens as tiktoken, from a tenth of the memory.

   Optional. `gateway.classify.tokens` uses this module where it was built (a C compiler was there
   when the package was installed) and tiktoken elsewhere; a test holds both against each other.

   A text is cut into pieces by the encoding's pattern, written out by hand in `_pieces.h`, and each
   piece is merged from its bytes, the pair of lowest rank first, the leftmost of equals. Nothing is
   linear in the square of a hostile text: long pieces are merged with a heap.

   Tokens of at most eight bytes, most of them, lie in the slots of their table: looking
   one up touches one line of cache. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

/* What the pattern tells apart. Letters are UPPER, LOWER and LETTER (which counts as either);
   MARK joins them without being one. */
enum { OTHER, UPPER, LOWER, LETTER, MARK, NUMBER, SPACE, LINE_END, CLASSES };
#define BIT(c) (1u << (c))
#define ANY_UPPER (BIT(UPPER) | BIT(LETTER) | BIT(MARK))
#define ANY_LOWER (BIT(LOWER) | BIT(LETTER) | BIT(MARK))
#define EITHER (BIT(LETTER) | BIT(MARK))
#define LETTERS (BIT(UPPER) | BIT(LOWER) | BIT(LETTER))
#define BLANK (BIT(SPACE) | BIT(LINE_END))
#define PREFIX (BIT(OTHER) | BIT(MARK) | BIT(SPACE))
#define SYMBOL (BIT(OTHER) | BIT(MARK))
#define IN(class, set) (BIT(class) & (set))

#define CODE_POINTS 0x110000
#define PAGE 256
#define LONGEST_TOKEN 128
#define SHORT 8
#define SHORT_BITS 18
#define LONG_BITS 17
#define NONE UINT32_MAX
#define SMALL_PIECE 96   /* bytes; below, shifting an array is faster than a heap */
#define GIL_BYTES 4096   /* a shorter text is done before another thread could begin */

typedef struct { u64 key; u32 id, length; } Slot;

typedef struct {
    PyObject_HEAD
    Slot *brief;            /* tokens of at most SHORT bytes; id NONE: empty */
    u64 *spread;            /* the longer ones: upper half of their hash, id + 1 */
    u32 *offsets;           /* where the longer ones begin in `bytes`, by id; one more at the end */
    u8 *bytes;
    u8 *pages;              /* the classes of code points, equal pages once */
    u8 ascii[128];
    uint16_t page_of[CODE_POINTS / PAGE];
} Encoder;

#include "_pieces.h"

/* ── what Python sees ──────────────────────────────────────────────────────── */

/* A text with halves of surrogate pairs is read as tiktoken reads it: pairs joined, halves marked. */
static PyObject *repaired(PyObject *text) {
    PyErr_Clear();
    PyObject *wide = PyUnicode_AsEncodedString(text, "utf-16", "surrogatepass");
    if (!wide) return NULL;
    PyObject *whole = PyUnicode_Decode(PyBytes_AS_STRING(wide), PyBytes_GET_SIZE(wide), "utf-16",
                                       "replace");
    Py_DECREF(wide);
    return whole;
}

static int found_in(Encoder *self, PyObject *text, Found *found) {
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "a text is wanted");
        return -1;
    }
    Py_ssize_t n;
    PyObject *whole = Py_NewRef(text);
    const char *s = PyUnicode_AsUTF8AndSize(whole, &n);
    if (!s && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        Py_SETREF(whole, repaired(text));
        s = whole ? PyUnicode_AsUTF8AndSize(whole, &n) : NULL;
    }
    if (!s) {
        Py_XDECREF(whole);
        return -1;
    }
    int failed;
    if (n < GIL_BYTES) {
        failed = encode(self, (const u8 *)s, (size_t)n, found);
    } else {
        Py_BEGIN_ALLOW_THREADS
        failed = encode(self, (const u8 *)s, (size_t)n, found);
        Py_END_ALLOW_THREADS
    }
    Py_DECREF(whole);
    if (failed) PyErr_NoMemory();
    return failed;
}

static PyObject *Encoder_encode(Encoder *self, PyObject *text) {
    Found found = {.count = 0, .room = 512};
    found.ids = found.few;
    PyObject *list = found_in(self, text, &found) ? NULL : PyList_New((Py_ssize_t)found.count);
    for (size_t i = 0; list && i < found.count; i++) {
        PyObject *id = PyLong_FromUnsignedLong(found.ids[i]);
        if (!id) Py_CLEAR(list);
        else PyList_SET_ITEM(list, (Py_ssize_t)i, id);
    }
    let_go(&found);
    return list;
}

static PyObject *Encoder_count(Encoder *self, PyObject *text) {
    Found found = {.ids = NULL, .count = 0};
    return found_in(self, text, &found) ? NULL : PyLong_FromSize_t(found.count);
}

/* ── making one ────────────────────────────────────────────────────────────── */

static int base64_value(u8 c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Read one line, `token in base64, blank, rank`; gives its length in bytes or -1. */
static int read_line(const u8 **s, const u8 *end, u8 *token) {
    int length = 0, bits = 0, value;
    u32 held = 0;
    for (; *s < end && (value = base64_value(**s)) >= 0; ++*s) {
        held = held << 6 | (u32)value;
        if ((bits += 6) < 8) continue;
        if (length == LONGEST_TOKEN) return -1;
        bits -= 8;
        token[length++] = (u8)(held >> bits);
    }
    while (*s < end && **s != '\n') ++*s;
    if (*s < end) ++*s;
    return length ? length : -1;
}

static void keep(Encoder *e, const u8 *token, size_t n, u32 id, u32 *filled) {
    e->offsets[id] = *filled;
    if (n <= SHORT) {
        u64 key = packed(token, n);
        size_t at = brief_at(key, n);
        while (e->brief[at].id != NONE) at = (at + 1) & ((1u << SHORT_BITS) - 1);
        e->brief[at] = (Slot){key, id, (u32)n};
    } else {
        u64 hash = hash_of(token, n);
        size_t at = hash & ((1u << LONG_BITS) - 1);
        while (e->spread[at]) at = (at + 1) & ((1u << LONG_BITS) - 1);
        e->spread[at] = (hash >> 32 << 32) | (id + 1);
        memcpy(e->bytes + *filled, token, n);
        *filled += (u32)n;
    }
    e->offsets[id + 1] = *filled;
}

static int read_ranks(Encoder *e, const u8 *s, size_t n) {
    const u8 *end = s + n;
    size_t lines = 0;
    for (const u8 *p = s; p < end; p++) lines += *p == '\n';
    e->brief = PyMem_Malloc(sizeof(Slot) << SHORT_BITS);
    e->spread = PyMem_Calloc((size_t)1 << LONG_BITS, sizeof(u64));
    e->offsets = PyMem_Malloc((lines + 2) * sizeof(u32));
    e->bytes = PyMem_Malloc(n + 1);
    if (!e->brief || !e->spread || !e->offsets || !e->bytes) return PyErr_NoMemory(), -1;
    for (size_t i = 0; i < (size_t)1 << SHORT_BITS; i++) e->brief[i].id = NONE;
    u32 id = 0, filled = 0, brief = 0;
    u8 token[LONGEST_TOKEN];
    for (; s < end; id++) {
        int length = read_line(&s, end, token);
        brief += length > 0 && length <= SHORT;
        /* A table that is full would be searched for ever. */
        if (length < 0 || brief >> (SHORT_BITS - 1) > 1 || (id + 1 - brief) >> (LONG_BITS - 1)) {
            PyErr_SetString(PyExc_ValueError, "these are no ranks of this encoding");
            return -1;
        }
        keep(e, token, (size_t)length, id, &filled);
    }
    u8 *fitting = PyMem_Realloc(e->bytes, filled + 1);
    if (fitting) e->bytes = fitting;
    return 0;
}

static int read_classes(Encoder *e, const u8 *classes, size_t n) {
    if (n != CODE_POINTS) return PyErr_SetString(PyExc_ValueError, "a class each, please"), -1;
    e->pages = PyMem_Malloc(CODE_POINTS);
    if (!e->pages) return PyErr_NoMemory(), -1;
    size_t used = 0;
    for (size_t i = 0; i < CODE_POINTS / PAGE; i++) {
        size_t same = 0;
        while (same < used && memcmp(e->pages + same * PAGE, classes + i * PAGE, PAGE)) same++;
        if (same == used) memcpy(e->pages + used++ * PAGE, classes + i * PAGE, PAGE);
        e->page_of[i] = (uint16_t)same;
    }
    u8 *fitting = PyMem_Realloc(e->pages, used * PAGE);
    if (fitting) e->pages = fitting;
    memcpy(e->ascii, classes, sizeof e->ascii);
    return 0;
}

static void Encoder_dealloc(Encoder *self) {
    PyMem_Free(self->brief);
    PyMem_Free(self->spread);
    PyMem_Free(self->offsets);
    PyMem_Free(self->bytes);
    PyMem_Free(self->pages);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *Encoder_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    const char *ranks, *classes;
    Py_ssize_t ranks_size, classes_size;
    if (kwargs && PyDict_GET_SIZE(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "by position only");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "y#y#", &ranks, &ranks_size, &classes, &classes_size)) return NULL;
    Encoder *self = (Encoder *)type->tp_alloc(type, 0);
    if (self && (read_classes(self, (const u8 *)classes, (size_t)classes_size) ||
                 read_ranks(self, (const u8 *)ranks, (size_t)ranks_size)))
        Py_CLEAR(self);
    return (PyObject *)self;
}

/* The sum of the numbers at these places, as `sum(map(numbers.__getitem__, places))` gives it. */
static PyObject *total(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "numbers and places are wanted");
        return NULL;
    }
    PyObject *places = PySequence_Fast(args[1], "places are a sequence");
    Py_buffer view;
    if (!places) return NULL;
    if (PyObject_GetBuffer(args[0], &view, PyBUF_SIMPLE)) {
        Py_DECREF(places);
        return NULL;
    }
    const int64_t *numbers = view.buf;
    Py_ssize_t size = view.len / (Py_ssize_t)sizeof *numbers;
    int64_t sum = 0;
    int failed = 0;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(places) && !failed; i++) {
        Py_ssize_t place = PyLong_AsSsize_t(PySequence_Fast_GET_ITEM(places, i));
        int wrong = place == -1 && PyErr_Occurred();
        if (place < 0) place += size;
        if (wrong || place < 0 || place >= size) {
            if (!PyErr_Occurred()) PyErr_SetString(PyExc_IndexError, "no such place");
            failed = 1;
        } else {
            sum += numbers[place];
        }
    }
    PyBuffer_Release(&view);
    Py_DECREF(places);
    return failed ? NULL : PyLong_FromLongLong(sum);
}

static PyMethodDef encoder_methods[] = {
    {"encode", (PyCFunction)Encoder_encode, METH_O, "The tokens of a text."},
    {"count", (PyCFunction)Encoder_count, METH_O, "How many tokens a text has."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject encoder_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "gateway.classify._swift.Encoder",
    .tp_doc = "Encodes o200k_base: Encoder(ranks, classes).",
    .tp_basicsize = sizeof(Encoder),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = Encoder_new,
    .tp_dealloc = (destructor)Encoder_dealloc,
    .tp_methods = encoder_methods,
};

/* ── a whole assessment ────────────────────────────────────────────────────── */

#include "_walk.h"
#include "_sizes.h"
#include "_facts.h"
#include "_known.h"
#include "_look.h"
#include "_said.h"
#include "_reader.h"

static PyMethodDef functions[] = {
    {"total", (PyCFunction)(void (*)(void))total, METH_FASTCALL, "Sum numbers at places."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "gateway.classify._swift",
    .m_doc = "Token counting in C (see tokens.py).",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit__swift(void) {
    if (make_names() || PyType_Ready(&encoder_type) < 0 || PyType_Ready(&reader_type) < 0)
        return NULL;
    PyObject *made = PyModule_Create(&module);
    if (made && (PyModule_AddObjectRef(made, "Encoder", (PyObject *)&encoder_type) ||
                 PyModule_AddObjectRef(made, "Reader", (PyObject *)&reader_type)))
        Py_CLEAR(made);
    return made;
}
