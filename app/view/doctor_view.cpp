#include "view/doctor_view.hpp"

#include <nlohmann/json.hpp>
#include <string_view>

#include "core/text.hpp"
#include "view/terminal.hpp"

namespace glimpse {
namespace {

constexpr int name_columns = 18;
constexpr std::string_view erase_line = "\r\x1b[K";

struct Word {
  const char *text, *colour;
};

Word word(Check::State state) {
  switch (state) {
    case Check::State::ok:
      return {"ok", "\x1b[32m"};
    case Check::State::warn:
      return {"warn", "\x1b[33m"};
    case Check::State::fail:
      break;
  }
  return {"fail", "\x1b[31m"};
}

std::string padded(std::string text, int columns) {
  for (int width = display_width(text); width < columns; ++width) text += ' ';
  return text;
}

}  // namespace

std::string check_json(const Check& check) {
  nlohmann::ordered_json line{{"name", check.name}, {"state", word(check.state).text}, {"text", check.text}};
  line["remedy"] = check.remedy.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(check.remedy);
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string check_text(const Check& check, bool colour) {
  const auto [text, code] = word(check.state);
  const std::string state = padded(text, 4);
  std::string what = check.text + (check.remedy.empty() ? "" : "; " + check.remedy);
  return (colour ? code + state + "\x1b[0m" : state) + "  " +
         padded(escape_control(check.name), name_columns) + "  " + escape_control(what);
}

DoctorView::DoctorView(Output& output, bool json)
    : output_(output),
      json_(json),
      terminal_(!json && is_live_terminal()),
      colour_(terminal_ && terminal_style().colour) {}

DoctorView::~DoctorView() {
  if (in_progress_) output_.write(erase_line);
}

void DoctorView::begins(const std::string& name) {
  if (!terminal_) return;
  output_.write("...   " + escape_control(name));
  in_progress_ = true;
}

void DoctorView::found(const Check& check) {
  ++checks_;
  failures_ += check.state == Check::State::fail ? 1 : 0;
  warnings_ += check.state == Check::State::warn ? 1 : 0;
  if (json_) return output_.write(check_json(check) + "\n");
  output_.write((in_progress_ ? std::string(erase_line) : "") + check_text(check, colour_) + "\n");
  in_progress_ = false;
}

void DoctorView::finish() {
  if (json_) return;
  output_.write(std::to_string(checks_) + " checks: " + std::to_string(failures_) + " failed, " +
                std::to_string(warnings_) + (warnings_ == 1 ? " warning\n" : " warnings\n"));
}

}  // namespace glimpse
