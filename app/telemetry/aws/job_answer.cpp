#include "telemetry/aws/job_answer.hpp"

#include <nlohmann/json.hpp>

namespace glimpse {
namespace {

using Json = nlohmann::json;

bool is_job_id(const std::string& id) {
  constexpr auto allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !id.empty() && id.size() <= 64 && id.find_first_not_of(allowed) == std::string::npos;
}

const Json* object_at(const Json& root, const char* key) {
  const auto found = root.find(key);
  return found != root.end() && found->is_object() ? &*found : nullptr;
}

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::int64_t number_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

}  // namespace

std::optional<JobAnswer> parse_job_answer(const std::string& payload) {
  const Json root = Json::parse(payload, nullptr, false);
  if (!root.is_object()) return std::nullopt;
  JobAnswer answer;
  answer.token = text_at(root, "clientToken");
  answer.code = text_at(root, "code");
  answer.message = text_at(root, "message");
  if (const Json* const state = object_at(root, "executionState")) {
    answer.status = text_at(*state, "status");
    answer.version = number_at(*state, "versionNumber");
  }
  const Json* const it = object_at(root, "execution");
  if (it == nullptr || it->empty()) return answer;  // no job
  answer.execution =
      JobExecution{text_at(*it, "jobId"), number_at(*it, "executionNumber"), number_at(*it, "versionNumber")};
  if (!is_job_id(answer.execution->id)) return std::nullopt;
  const auto document = it->find("jobDocument");  // an object or, as the pages on the API have it, text
  if (document != it->end())
    answer.document = document->is_string() ? document->get<std::string>() : document->dump();
  return answer;
}

}  // namespace glimpse
