/* A walk over a call's document: what `messages.py` and `prompt.py` gather, as far as a call is an
   ordinary one: messages of texts, text parts, calls of tools and their results. Whatever else is
   met (images, sound, files, things nobody knows) ends the walk, and Python walks instead.

   Included by `_swift.c`. Texts are borrowed from the document, which its caller holds. */

#define ODD 1            /* not an ordinary document; an error of Python's is -1 */
#define FEW_TEXTS 64

enum { MESSAGE = 3, ROLE = 1, NAME = 1, PRIMING = 3, TOOL_CALL = 4 };

/* What is looked up in a document. */
#define NAMES(X)                                                                                 \
    X(messages) X(input) X(instructions) X(prompt) X(role) X(content) X(type) X(text)            \
    X(refusal) X(name) X(tool_calls) X(function) X(function_call) X(tool_call_id) X(audio)       \
    X(arguments) X(output) X(max_completion_tokens) X(max_tokens) X(max_output_tokens) X(n)      \
    X(best_of)
#define AS_MEMBER(name) static PyObject *s_##name;
NAMES(AS_MEMBER)

static int make_names(void) {
#define AS_STRING(name) if (!(s_##name = PyUnicode_InternFromString(#name))) return -1;
    NAMES(AS_STRING)
    return 0;
}

typedef struct { size_t from, to; } Range;

typedef struct {
    PyObject **texts, *few[FEW_TEXTS];
    size_t count, room;
    int64_t overhead, turns;
    Range context, before, asked;   /* of texts: the system prompt, the last two user turns */
    unsigned needs, tools;   /* bits of what is needed, and that of tools */
    int plain;
} Walk;

static void walk_over(Walk *w) {
    if (w->texts != w->few) PyMem_Free(w->texts);
}

static PyObject *get(PyObject *dict, PyObject *name) {
    PyObject *found = PyDict_GetItemWithError(dict, name);
    return found == Py_None ? NULL : found;
}

static int is(PyObject *text, const char *word) {
    size_t n = strlen(word);
    return PyUnicode_Check(text) && PyUnicode_IS_ASCII(text) &&
           (size_t)PyUnicode_GET_LENGTH(text) == n && !memcmp(PyUnicode_DATA(text), word, n);
}

static int is_one_of(PyObject *text, const char *const *words) {
    while (*words && !is(text, *words)) words++;
    return *words != NULL;
}

static int take(Walk *w, PyObject *text) {
    if (w->count == w->room) {
        size_t bytes = 2 * w->room * sizeof *w->texts;
        int first = w->texts == w->few;
        PyObject **more = first ? PyMem_Malloc(bytes) : PyMem_Realloc(w->texts, bytes);
        if (!more) return PyErr_NoMemory(), -1;
        if (first) memcpy(more, w->few, sizeof w->few);
        w->texts = more;
        w->room *= 2;
    }
    w->texts[w->count++] = text;
    return 0;
}

/* A member that counts if it is a text. */
static int take_member(Walk *w, PyObject *of, PyObject *name, int64_t overhead) {
    PyObject *text = get(of, name);
    if (!text || !PyUnicode_Check(text)) return 0;
    w->overhead += overhead;
    return take(w, text);
}

static int take_part(Walk *w, PyObject *part) {
    static const char *const kinds[] = {"text", "input_text", "output_text", "summary_text", NULL};
    if (part == Py_None) return 0;
    if (PyUnicode_Check(part)) return take(w, part);
    if (!PyDict_Check(part)) return ODD;
    PyObject *kind = get(part, s_type);
    if (kind && !PyUnicode_Check(kind)) return ODD;
    int refused = kind && is(kind, "refusal");
    if (kind && !refused && !is_one_of(kind, kinds)) return ODD;
    PyObject *text = get(part, refused ? s_refusal : s_text);
    return text && PyUnicode_Check(text) ? take(w, text) : ODD;
}

static int take_parts(Walk *w, PyObject *content) {
    if (!PyList_Check(content)) return take_part(w, content);
    int odd = 0;
    for (Py_ssize_t i = 0; !odd && i < PyList_GET_SIZE(content); i++)
        odd = take_part(w, PyList_GET_ITEM(content, i));
    return odd;
}

static int take_call(Walk *w, PyObject *call) {
    static PyObject *const *const names[] = {&s_name, &s_arguments, &s_input};
    w->needs |= w->tools;
    w->plain = 0;
    w->overhead += TOOL_CALL;
    if (!PyDict_Check(call)) return ODD;
    int odd = 0;
    for (int i = 0; !odd && i < 3; i++) odd = take_member(w, call, *names[i], 0);
    return odd;
}

static int take_calls(Walk *w, PyObject *calls) {
    int odd = 0;
    for (Py_ssize_t i = 0; !odd && i < PyList_GET_SIZE(calls); i++) {
        PyObject *call = PyList_GET_ITEM(calls, i), *inner = NULL;
        if (PyDict_Check(call)) inner = PyDict_GetItemWithError(call, s_function);
        odd = take_call(w, inner ? inner : call);
    }
    return odd;
}

/* What a message may hold beside its role and content. */
static int take_rest(Walk *w, PyObject *message) {
    PyObject *found;
    int odd = take_member(w, message, s_name, NAME);
    if (!odd) odd = take_member(w, message, s_refusal, 0);
    if (!odd && (found = get(message, s_tool_calls)) && PyList_Check(found))
        odd = take_calls(w, found);
    if (!odd && (found = get(message, s_function_call))) odd = take_call(w, found);
    if (get(message, s_tool_call_id)) {
        w->needs |= w->tools;
        w->plain = 0;
    }
    if (!odd && (found = get(message, s_audio)) && PyDict_Check(found)) return ODD;
    return odd;
}

static int empty(const Walk *w, Range of) {
    return of.from == of.to ||
           (of.to - of.from == 1 && !PyUnicode_GET_LENGTH(w->texts[of.from]));
}

/* Note who said the texts since `from`. */
static int take_role(Walk *w, PyObject *role, size_t from) {
    static const char *const others[] = {"assistant", "tool", "function", NULL};
    Range said = {from, w->count};
    w->overhead += MESSAGE + ROLE;
    if (!role || !PyUnicode_Check(role) || is(role, "assistant")) return 0;
    if (is(role, "user")) {
        w->before = w->asked;
        w->asked = said;
        w->turns++;
    } else if (is(role, "system") || is(role, "developer")) {
        if (empty(w, w->context)) w->context = said;
    } else if (!is_one_of(role, others)) {
        w->overhead -= ROLE;
        return take(w, role);
    }
    return 0;
}

/* An item of a Responses `input` that is no message. */
static int take_item(Walk *w, PyObject *item, PyObject *kind) {
    if (is(kind, "function_call") || is(kind, "custom_tool_call")) return take_call(w, item);
    if (!is(kind, "function_call_output") && !is(kind, "custom_tool_call_output")) return ODD;
    w->needs |= w->tools;
    w->plain = 0;
    w->overhead += TOOL_CALL;
    PyObject *output = get(item, s_output);
    return output ? take_parts(w, output) : 0;
}

static int take_message(Walk *w, PyObject *message) {
    if (!PyDict_Check(message)) return ODD;
    PyObject *role = get(message, s_role), *kind;
    if (!role && (kind = PyDict_GetItemWithError(message, s_type)) && !is(kind, "message"))
        return take_item(w, message, kind);
    size_t from = w->count;
    PyObject *content = get(message, s_content);
    int odd = !content ? 0 : PyUnicode_Check(content) ? take(w, content) : take_parts(w, content);
    if (!odd) odd = take_role(w, role, from);
    if (!odd && (!content || PyDict_GET_SIZE(message) > 2)) odd = take_rest(w, message);
    return odd;
}

static int take_messages(Walk *w, PyObject *messages) {
    int odd = 0;
    if (PyUnicode_Check(messages)) {
        size_t from = w->count;
        odd = take(w, messages);
        w->overhead += MESSAGE + ROLE;
        w->before = w->asked;
        w->asked = (Range){from, w->count};
        w->turns++;
    } else if (!PyList_Check(messages)) {
        odd = ODD;
    } else {
        for (Py_ssize_t i = 0; !odd && i < PyList_GET_SIZE(messages); i++)
            odd = take_message(w, PyList_GET_ITEM(messages, i));
    }
    w->overhead += PRIMING;
    return odd;
}

/* A prompt without messages: a text, or several. */
static int take_prompt(Walk *w, PyObject *prompt) {
    if (!prompt) return 0;
    if (PyUnicode_Check(prompt)) return take(w, prompt);
    if (!PyList_Check(prompt)) return ODD;
    int odd = 0;
    for (Py_ssize_t i = 0; !odd && i < PyList_GET_SIZE(prompt); i++) {
        PyObject *text = PyList_GET_ITEM(prompt, i);
        odd = PyUnicode_Check(text) ? take(w, text) : ODD;
    }
    return odd;
}

static int walk(Walk *w, PyObject *document) {
    PyObject *messages = get(document, s_messages), *instructions;
    if (!messages) {
        messages = get(document, s_input);
        if ((instructions = get(document, s_instructions))) {
            int odd = PyUnicode_Check(instructions) ? take(w, instructions)
                                                    : take_parts(w, instructions);
            if (odd) return odd;
            w->overhead += MESSAGE + ROLE;
            w->context = (Range){0, w->count};
        }
    }
    /* Instructions alone are a message to nobody: Python weighs what is missing. */
    if (!messages) return w->overhead ? ODD : take_prompt(w, get(document, s_prompt));
    return take_messages(w, messages);
}

/* Where nobody is a user, the last text is what is asked. */
static void find_asked(Walk *w) {
    if (!w->turns && w->count) w->asked = (Range){w->count - 1, w->count};
}
