// Any bytes: what Census accepts, RowDecoder decodes under the schema it inferred, and event_type_of names alike; what
// it refuses does no harm.
#include "event/census.h"
#include "event/padded_json.h"
#include "event/row_decoder.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

using namespace questlog::event;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const PaddedJson json(std::string_view(reinterpret_cast<const char*>(data), size));
    Census census;
    const Census::TypeId id = census.observe(json.view());
    std::string type;
    const bool has_type = event_type_of(json.view(), type);
    if (id == Census::not_an_event) return 0;
    if (!has_type || type != census.type_name(id)) std::abort();
    const Schema& schema = census.schema(id);
    RowDecoder decoder(schema);
    std::vector<Cell> cells(schema.size());
    if (!decoder.decode(json.view(), cells) || !decoder.decode(json.view(), cells)) std::abort();
    for (std::size_t i = 0; i < cells.size(); ++i)
        if (cells[i].type != ColumnType::null && cells[i].type != schema[i].type) std::abort();
    return 0;
}
