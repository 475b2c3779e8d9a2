#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "config/settings.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace glimpse {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t max_config_bytes = 1u << 20;

[[noreturn]] void bad(const std::string& message) {
  throw Error(ExitCode::configuration, message);
}

/// A value as the message shows it: on one line, and not a page of it. What is inside an array or an object
/// is left out: the library writes it by recursion, and a file of brackets alone would exhaust the stack.
std::string shown(const Json& value) {
  if (value.is_structured()) return value.is_array() ? "an array" : "an object";
  std::string text = escape_control(value.dump(-1, ' ', false, Json::error_handler_t::replace));
  return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

std::string read_file(const std::string& file) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) bad(file + " is a folder, not a configuration file");
  std::ifstream in(file, std::ios::binary);
  if (!in)
    bad("cannot read the configuration " + file + ": no such file, or no permission (ls -l " + file + ")");
  std::string text(max_config_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > max_config_bytes) bad(file + " is larger than 1 MiB: not a configuration file");
  return text;
}

Json parse(const std::string& text, const std::string& file) {
  try {
    return Json::parse(text);
  } catch (const Json::out_of_range&) {
    bad(file + ": a number in it is too large, beyond 1.8e308");
  } catch (const Json::parse_error& error) {
    const std::size_t at = std::min(text.size(), error.byte > 0 ? error.byte - 1 : 0);
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    const std::size_t line_start = text.rfind('\n', at == 0 ? 0 : at - 1);
    const std::size_t column = at == 0 ? 1 : line_start == std::string::npos ? at + 1 : at - line_start;
    // The library's text ends with what it found and what it expected, after its own code and position.
    const std::string what = error.what();
    const std::size_t reason = what.find(": ");
    bad(file + ":" + std::to_string(line) + ":" + std::to_string(column) +
        ": not valid JSON: " + escape_control(reason == std::string::npos ? what : what.substr(reason + 2)));
  }
}

void set_from_json(const Setting& setting, const Json& value) {
  const auto number_in_range = [&] {
    return value.is_number() && value.get<double>() >= setting.min && value.get<double>() <= setting.max;
  };
  if (auto* const* text = std::get_if<std::string*>(&setting.field); text && value.is_string()) {
    **text = value.get<std::string>();
  } else if (auto* const* flag = std::get_if<bool*>(&setting.field); flag && value.is_boolean()) {
    **flag = value.get<bool>();
  } else if (auto* const* whole = std::get_if<int*>(&setting.field);
             whole && value.is_number_integer() && number_in_range()) {
    **whole = value.get<int>();
  } else if (auto* const* number = std::get_if<double*>(&setting.field); number && number_in_range()) {
    **number = value.get<double>();
  } else if (auto* const* time = std::get_if<std::chrono::milliseconds*>(&setting.field);
             time && number_in_range()) {
    **time =
        std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(value.get<double>()));
  } else {
    bad(setting.path + ": expected " + expected_by(setting) + ", got " + shown(value));
  }
}

void apply(const Json& object, const std::string& prefix, const std::vector<Setting>& table) {
  for (const auto& [key, value] : object.items()) {
    const std::string path = prefix + key;
    const auto has_path = [&](const Setting& setting) {
      return !setting.path.empty() && setting.path == path;
    };
    const auto below_path = [&](const Setting& setting) { return setting.path.starts_with(path + "."); };
    if (const auto found = std::find_if(table.begin(), table.end(), has_path); found != table.end()) {
      set_from_json(*found, value);
    } else if (std::any_of(table.begin(), table.end(), below_path)) {
      if (!value.is_object()) bad(path + ": expected an object, got " + shown(value));
      apply(value, path + ".", table);
    } else {
      std::string known;
      for (const Setting& setting : table) {
        if (!setting.path.empty()) known += (known.empty() ? "" : ", ") + setting.path;
      }
      bad(escape_control(path) + ": unknown key; known are " + known);
    }
  }
}

/// A number that stands for "not given" is no value that could be read back.
bool is_unset(const Setting& setting) {
  auto* const* whole = std::get_if<int*>(&setting.field);
  return whole && **whole < setting.min;
}

struct ToJson {
  template <class T>
  Json operator()(const T* value) const {
    return *value;
  }
  Json operator()(const std::chrono::milliseconds* time) const {
    return std::chrono::duration<double>(*time).count();
  }
};

Json value_of(const Setting& setting) {
  return std::visit(ToJson{}, setting.field);
}

}  // namespace

void load_config(const std::string& file, Settings& settings) {
  parse_config(read_file(file), file, settings);
}

void parse_config(const std::string& text, const std::string& file, Settings& settings) {
  const Json root = parse(text, file);
  if (!root.is_object()) bad(file + ": expected an object, got " + shown(root));
  Settings changed = settings;
  try {
    apply(root, "", settings_table(changed));
  } catch (const Error& error) {
    bad(file + ": " + error.what());
  }
  settings = changed;
}

std::vector<Change> changes(const Settings& before, const Settings& after) {
  Settings copies[] = {before, after};
  const std::vector<Setting> was = settings_table(copies[0]), is = settings_table(copies[1]);
  std::vector<Change> found;
  for (std::size_t row = 0; row < is.size(); ++row) {
    if (is[row].path.empty() || value_of(was[row]) == value_of(is[row])) continue;
    found.push_back({is[row].path, shown(value_of(is[row])), is[row].live});
  }
  return found;
}

std::string to_config(const Settings& settings) {
  Settings copy = settings;
  Json root;
  for (const Setting& setting : settings_table(copy)) {
    if (setting.path.empty() || is_unset(setting)) continue;
    const std::size_t dot = setting.path.find('.');
    root[setting.path.substr(0, dot)][setting.path.substr(dot + 1)] = value_of(setting);
  }
  return root.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace glimpse
