#include "diagnosis/examination.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
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
  if (Steady::now() - start >= examination.limit) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(examination.limit).count();
    return {Check::fail(examination.name, "no answer within " + std::to_string(seconds) + " s", "",
                        examination.code)};
  }
  return {Check::fail(examination.name, "the process that looked at it has died", "journalctl -k says more",
                      examination.code)};
}

void carry_out(const std::vector<Examination>& examinations, const std::stop_token& stop,
               const std::function<void(const std::string&)>& begins,
               const std::function<void(const Check&)>& found) {
  std::map<std::string, std::string> failed;  // and by whose fault
  for (const Examination& examination : examinations) {
    const auto missing = std::find_if(examination.needs.begin(), examination.needs.end(),
                                      [&](const std::string& name) { return failed.contains(name); });
    if (missing != examination.needs.end()) {
      failed[examination.name] = failed[*missing];
      found(Check::skip(examination.name, "not looked at: see " + failed[*missing]));
      continue;
    }
    begins(examination.name);
    for (const Check& check : carry_out(examination, stop)) {
      if (check.state == Check::State::fail) failed[examination.name] = examination.name;
      found(check);
    }
  }
}

}  // namespace glimpse
