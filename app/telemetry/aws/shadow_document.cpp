#include "telemetry/aws/shadow_document.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "core/model_name.hpp"
#include "core/text.hpp"

namespace glimpse {
namespace {

using Json = nlohmann::ordered_json;
using namespace std::chrono_literals;

// Bytes of an error, so that all of them fit in a request, whatever JSON makes of their characters.
constexpr std::size_t max_key = 40, max_text = 120;
// As the configuration has them: settings_table().
constexpr int max_top_k = 1000;
constexpr double max_interval_s = 86400;

/// One line of at most `bytes`, not cut inside a UTF-8 character.
std::string line_of(std::string_view text, std::size_t bytes) {
  std::string line = escape_control(text.substr(0, bytes + 1));
  if (line.size() <= bytes) return line;
  std::size_t end = bytes - 3;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80) --end;
  return line.substr(0, end) + "...";
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// What is inside an array or an object is left out: the library writes, copies and compares it by recursion.
std::string shown(const Json& value) {
  if (value.is_structured()) return value.is_array() ? "an array" : "an object";
  return line_of(dump(value), 60);
}

/// A member of an object, or null.
const Json& member(const Json& value, const char* key) {
  static const Json none;
  const auto found = value.is_object() ? value.find(key) : value.end();
  return found == value.end() ? none : *found;
}

/// 0 where it is none. What is beyond the whole numbers of a double is no version or time of AWS's.
std::int64_t whole(const Json& value) {
  constexpr std::int64_t most = std::int64_t{1} << 53;
  if (value.is_number_unsigned()) {
    return static_cast<std::int64_t>(std::min<std::uint64_t>(value.get<std::uint64_t>(), most));
  }
  return value.is_number_integer() ? std::max<std::int64_t>(value.get<std::int64_t>(), 0) : 0;
}

std::string text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

/// Its value, or (a text that is no model's name) what was expected.
struct Read {
  ShadowValue value;
  const char* expected = nullptr;
};

Read read_setting(const std::string& key, const Json& value) {
  if (key == "quantized") {
    if (value.is_boolean()) return {value.get<bool>()};
    return {{}, "true or false"};
  }
  if (key == "model") {
    if (value.is_string() && is_model_name(value.get<std::string>())) return {value.get<std::string>()};
    return {{}, "the name of an installed model"};
  }
  if (key == "top_k") {
    const bool fits = value.is_number_integer() && whole(value) >= 1 && whole(value) <= max_top_k;
    if (fits) return {static_cast<int>(whole(value))};
    return {{}, "a whole number from 1 to 1000"};
  }
  if (key == "interval_s") {
    const double seconds = value.is_number() ? value.get<double>() : -1;
    if (seconds == 0 || (seconds >= 0.001 && seconds <= max_interval_s)) {
      return {std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(seconds))};
    }
    return {{}, "0, or a number from 0.001 to 86400"};
  }
  return {{}, ""};
}

bool same_scalar(const Json& a, const Json& b) {
  return a.is_primitive() && b.is_primitive() && !a.is_null() && a == b;
}

void add_error(ShadowErrors& errors, const std::string& setting, const std::string& reason) {
  const std::string key = line_of(setting, max_key);
  if (errors.size() < max_shadow_errors || errors.count(key)) errors[key] = line_of(reason, max_text);
}

/// `asked`: the metadata of the same object. `reported`: what AWS has of us; unknown keys that are the same
/// there are no wish.
void read_wish(const Json& desired, const Json& asked, const Json& reported, ShadowDocument& document) {
  if (desired.is_null()) return;
  if (!desired.is_object()) return add_error(document.errors, "desired", "expected an object");
  for (const auto& [key, value] : desired.items()) {
    const Read read = read_setting(key, value);
    if (!read.expected) {
      document.wish[key] = {read.value, whole(member(member(asked, key.c_str()), "timestamp"))};
    } else if (*read.expected) {
      add_error(document.errors, key, std::string("expected ") + read.expected + ", got " + shown(value));
    } else if (!same_scalar(value, member(reported, key.c_str()))) {
      add_error(document.errors, key, "cannot be set; quantized, model, interval_s and top_k can");
    }
  }
}

/// The document, or null with what is wrong in `errors`.
Json parse(const std::string& payload, ShadowDocument& document) {
  document.readable = false;
  if (payload.size() > max_shadow_document) {
    add_error(document.errors, "document",
              "has " + std::to_string(payload.size()) + " bytes; at most 8192 are read");
    return {};
  }
  try {
    Json json = Json::parse(payload);
    document.readable = json.is_object() && member(json, "state").is_object();
    if (document.readable) {
      document.client_token = text(member(json, "clientToken"));
      document.version = whole(member(json, "version"));
      document.sent_s = whole(member(json, "timestamp"));
      return json;
    }
    add_error(document.errors, "document", "has no state");
  } catch (const Json::exception&) {  // not UTF-8, cut short, a number beyond a double
    add_error(document.errors, "document", "is not valid JSON");
  }
  return {};
}

Json to_json(const ShadowValue& value) {
  struct ToJson {
    Json operator()(bool v) const { return v; }
    Json operator()(int v) const { return v; }
    Json operator()(const std::string& v) const { return v; }
    // 2, not 2.0: AWS compares it with what somebody typed
    Json operator()(std::chrono::milliseconds v) const {
      return v % 1s == 0ms ? Json(v / 1s) : Json(std::chrono::duration<double>(v).count());
    }
  };
  return std::visit(ToJson{}, value);
}

}  // namespace

ShadowDocument read_accepted(const std::string& payload) {
  ShadowDocument document;
  const Json json = parse(payload, document);
  if (!document.readable) return document;
  const Json& state = member(json, "state");
  const Json& reported = member(state, "reported");
  read_wish(member(state, "desired"), member(member(json, "metadata"), "desired"), reported, document);
  if (const Json& errors = member(reported, "errors"); errors.is_object()) {
    for (const auto& [key, value] : errors.items()) {
      const bool is_ours = key == line_of(key, max_key);
      if (is_ours && document.reported_errors.size() < max_shadow_errors)
        document.reported_errors.insert(key);
    }
  }
  return document;
}

ShadowDocument read_delta(const std::string& payload) {
  ShadowDocument document;
  const Json json = parse(payload, document);
  if (document.readable) read_wish(member(json, "state"), member(json, "metadata"), {}, document);
  return document;
}

ShadowRejection read_rejection(const std::string& payload) {
  if (payload.size() > max_shadow_document) return {"", 0, "an answer of more than 8192 bytes"};
  try {
    const Json json = Json::parse(payload);
    const auto code = static_cast<int>(std::min<std::int64_t>(whole(member(json, "code")), 999));
    return {text(member(json, "clientToken")), code, line_of(text(member(json, "message")), max_text)};
  } catch (const Json::exception&) {
    return {"", 0, "an answer that is not valid JSON"};
  }
}

std::map<std::string, ShadowValue> settings_of(const InForce& now) {
  return {{"model", now.model.name},
          {"quantized", now.model.quantized},
          {"interval_s", now.settings.interval},
          {"top_k", now.settings.top_k}};
}

SettingsChange change_of(const Wish& wish) {
  SettingsChange change;
  for (const auto& [key, desired] : wish) {
    if (key == "model") change.model = std::get<std::string>(desired.value);
    if (key == "quantized") change.quantized = std::get<bool>(desired.value);
    if (key == "interval_s") change.interval = std::get<std::chrono::milliseconds>(desired.value);
    if (key == "top_k") change.top_k = std::get<int>(desired.value);
  }
  return change;
}

std::string shown(const Wish& wish) {
  std::string line;
  for (const auto& [key, desired] : wish) {
    line += (line.empty() ? "" : ", ") + key + " " + dump(to_json(desired.value));
  }
  return line;
}

ShadowErrors errors_of(const std::vector<Refusal>& refusals) {
  ShadowErrors errors;
  for (const Refusal& refusal : refusals) {
    add_error(errors, refusal.setting.empty() ? "change" : refusal.setting, refusal.reason);
  }
  return errors;
}

std::string reported(const InForce& now, const std::string& program_version, const ShadowErrors& errors) {
  Json json{{"model", line_of(now.model.name, max_text)},
            {"sha256", line_of(now.model.sha256, max_text)},
            {"quantized", now.model.quantized},
            {"backend", line_of(now.model.backend, max_text)},
            {"interval_s", to_json(now.settings.interval)},
            {"top_k", now.settings.top_k},
            {"version", line_of(program_version, max_text)},
            {"errors", nullptr}};
  if (!errors.empty()) json["errors"] = errors;
  return dump(json);
}

std::string update_request(const std::string& reported, const std::set<std::string>& mended,
                           const std::string& client_token) {
  Json json = Json::parse(reported);
  if (Json& errors = json["errors"]; errors.is_object()) {
    for (const std::string& setting : mended) {
      if (!errors.contains(setting)) errors[setting] = nullptr;
    }
  }
  return dump({{"state", {{"reported", std::move(json)}}}, {"clientToken", client_token}});
}

std::string get_request(const std::string& client_token) {
  return dump({{"clientToken", client_token}});
}

}  // namespace glimpse
