// SPDX-License-Identifier: Apache-2.0
/* The one C++ file: simdjson's first stage and the standard library's number reader
 * behind structure.h. Nothing that throws is called; memory that cannot be had is a
 * status. */
#include "decode/structure.h"

#include <charconv>
#include <cstdio>
#include <memory>
#include <new>

#include <simdjson.h>

namespace
{
constexpr size_t first_capacity = 16384;
}

struct tw_structure {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
    size_t capacity;
};

static bool grow(tw_structure *s, size_t size)
{
    size_t capacity = s->capacity ? s->capacity : first_capacity;

    while (capacity < size) {
        capacity *= 2;
    }
    if (s->parser->set_capacity(capacity) != simdjson::SUCCESS) {
        return false;
    }
    s->capacity = capacity;
    return true;
}

tw_structure *tw_structure_new(void)
{
    auto *s = new (std::nothrow) tw_structure{nullptr, 0};
    const simdjson::implementation *best = simdjson::get_active_implementation();

    if (s && (best->create_dom_parser_implementation(first_capacity, 1, s->parser) !=
                  simdjson::SUCCESS ||
              !grow(s, first_capacity))) {
        delete s;
        s = nullptr;
    }
    return s;
}

void tw_structure_free(tw_structure *s)
{
    delete s;
}

tw_structure_status tw_structure_index(tw_structure *s, const char *data, size_t size,
                                       uint32_t **out_at, uint32_t *out_count)
{
    if (size > s->capacity && !grow(s, size)) {
        return TW_STRUCTURE_NO_ROOM;
    }
    simdjson::error_code code = s->parser->stage1(reinterpret_cast<const uint8_t *>(data),
                                                  size, simdjson::stage1_mode::regular);
    *out_at = s->parser->structural_indexes.get();
    *out_count = s->parser->n_structural_indexes;
    switch (code) {
    case simdjson::SUCCESS:
        return TW_STRUCTURE_OK;
    case simdjson::EMPTY:
        return TW_STRUCTURE_EMPTY;
    case simdjson::UTF8_ERROR:
        return TW_STRUCTURE_UTF8;
    case simdjson::UNESCAPED_CHARS:
        return TW_STRUCTURE_CONTROL;
    case simdjson::UNCLOSED_STRING:
        return TW_STRUCTURE_UNCLOSED;
    default:
        return TW_STRUCTURE_NO_ROOM;
    }
}

bool tw_structure_is_utf8(const char *data, size_t size)
{
    return simdjson::validate_utf8(data, size);
}

bool tw_structure_double(const char *text, const char *end, double *out)
{
    return std::from_chars(text, end, *out).ec == std::errc();
}

const char *tw_structure_library(char *out, size_t size)
{
    std::snprintf(out, size, "%d.%d.%d (%s)", simdjson::SIMDJSON_VERSION_MAJOR,
                  simdjson::SIMDJSON_VERSION_MINOR, simdjson::SIMDJSON_VERSION_REVISION,
                  simdjson::get_active_implementation()->name().c_str());
    return out;
}
