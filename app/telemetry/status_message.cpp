#include "telemetry/status_message.hpp"

#include <nlohmann/json.hpp>

namespace glimpse {

std::string to_json(const char* state, const StatusMessage& it) {
  const ModelIdentity model = it.model();
  return nlohmann::ordered_json{{"status", state},
                                {"version", it.version},
                                {"device", it.device},
                                {"boot", it.boot},
                                {"model",
                                 {{"name", model.name},
                                  {"quantized", model.quantized},
                                  {"backend", model.backend},
                                  {"sha256", model.sha256}}}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace glimpse
