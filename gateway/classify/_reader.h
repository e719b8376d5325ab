/* A whole assessment at once: what `assess.py` does step by step, for an ordinary call.

   The steps, their order and every figure are Python's; a test holds both against each other. What
   is not ordinary (an image, a part of unknown shape, half of a surrogate pair, a task that is not
   read as it stands) is left to Python: `read` then gives None.

   Its parts, in the order in which they need one another: `_known.h`, `_look.h`, `_said.h`. Included
   by `_swift.c`. The interpreter is held throughout: beside the tokens of at most 2,800
   characters, the work is a few instructions a character and some fifty a message. */

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
