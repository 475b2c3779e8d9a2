#include "diagnosis/examination.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "core/child_process.hpp"
#include "core/waiting.hpp"
#include "diagnosis/failure.hpp"

namespace glimpse {
namespace {

using Json = nlohmann::json;

/// What libraries print, and our own log of what is found anyway.
void silence() {
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere < 0) return;
  ::dup2(nowhere, STDOUT_FILENO);
  ::dup2(nowhere, STDERR_FILENO);
}

Checks look(const Examination& examination) {
  try {
    return examination.look();
  } catch (const Error& error) {
    return {failure(examination.name, error)};
  } catch (const std::exception& error) {
    return {Check::fail(examination.name, error.what(), "", ExitCode::internal)};
  }
}

std::string to_text(const Checks& checks) {
  Json list = Json::array();
  for (const Check& check : checks) {
    list.push_back(
        {check.name, static_cast<int>(check.state), check.text, check.remedy, static_cast<int>(check.code)});
  }
  return list.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Checks from_text(const std::string& text) {
  Checks checks;
  for (const Json& check : Json::parse(text)) {
    checks.push_back(
        {check[0], Check::State{check[1].get<int>()}, check[2], check[3], ExitCode{check[4].get<int>()}});
  }
  return checks;
}

/// Of a process that has died without an answer.
Check death(const Examination& examination, int signal) {
  const char* remedy = "report it, with all of glimpse doctor --json";
  if (signal == SIGKILL) remedy = "where memory has run out, this says so: journalctl -k";
  if (signal == SIGILL) remedy = "use libraries that were built for this processor: lscpu";
  return Check::fail(examination.name,
                     std::string("looking at it ended in a crash") +
                         (signal == 0 ? "" : std::string(": ") + ::strsignal(signal)),
                     remedy, examination.code);
}

Check no_answer(const Examination& examination) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(examination.limit).count();
  return Check::fail(
      examination.name, "no answer within " + std::to_string(seconds) + " s",
      examination.remedy.empty() ? "look again when the machine has less to do: top" : examination.remedy,
      examination.code);
}

}  // namespace

Checks carry_out(const Examination& examination, const std::stop_token& stop) {
  const auto start = Steady::now();
  ChildProcess process(
      [&examination](const ChildProcess::Parent& parent) {
        silence();
        if (parent.wait_for_go()) parent.tell(to_text(look(examination)));
      },
      stop);
  const auto told = process.ask(examination.limit);
  if (stop.stop_requested()) throw Error(ExitCode::interrupted, "stopped before the end");
  if (told) return from_text(*told);
  return {Steady::now() - start >= examination.limit ? no_answer(examination)
                                                     : death(examination, process.died_of())};
}

void carry_out(const std::vector<Examination>& examinations, const std::stop_token& stop,
               const std::function<void(const std::string&)>& begins,
               const std::function<void(const Check&)>& found) {
  std::map<std::string, std::string> failed;  // and by whose fault
  const auto has_failed = [&failed](const std::string& name) { return failed.contains(name); };
  for (const Examination& examination : examinations) {
    const auto missing = std::find_if(examination.needs.begin(), examination.needs.end(), has_failed);
    if (missing != examination.needs.end()) {
      failed[examination.name] = failed[*missing];
      found(Check::warn(examination.name, "not looked at", "mend first: " + failed[*missing]));
      continue;
    }
    begins(examination.name);
    const bool is_needed = std::all_of(examination.instead.begin(), examination.instead.end(), has_failed);
    for (Check& check : carry_out(examination, stop)) {
      const bool is_bad = check.state == Check::State::fail || check.state == Check::State::warn;
      if (is_bad && check.remedy.empty()) check.remedy = examination.remedy;
      if (check.state == Check::State::fail) {
        failed[examination.name] = examination.name;
        if (!is_needed) check.state = Check::State::warn;
      }
      found(check);
    }
  }
}

}  // namespace glimpse
