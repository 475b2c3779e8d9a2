// AWS IoT Core's device shadow service for the one shadow `glimpse` of the one thing `pi-1`, by its developer
// guide: "Interacting with shadows", "Device Shadow MQTT topics", "service documents", "error messages".
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "telemetry/conversation.hpp"

class ShadowService {
 public:
  using Json = nlohmann::json;
  using Messages = std::vector<glimpse::Message>;
  inline static const std::string prefix = "$aws/things/pi-1/shadow/name/glimpse/";

  std::int64_t time_s = 1'700'000'000;
  Json fails_with;  // {"code": ..., "message": ...}: every update is rejected so

  /// What the service publishes when `message` comes.
  Messages answer(const glimpse::Message& message) {
    if (message.topic == prefix + "get") return get(message.payload);
    if (message.topic == prefix + "update") return update(message.payload);
    return {};
  }
  /// As `aws iot-data update-thing-shadow`: who asks over HTTP has the answer there, and no topic has it.
  Messages desire(const Json& desired) {
    Messages messages = update(Json{{"state", {{"desired", desired}}}}.dump());
    messages.erase(messages.begin());
    return messages;
  }
  void remove() {
    state_ = metadata_ = Json::object();
    exists_ = false;
    removed_s_ = time_s;
  }
  [[nodiscard]] Json state() const { return state_; }
  [[nodiscard]] Json delta() const {
    return difference(state_.value("desired", Json::object()), state_.value("reported", Json::object()));
  }
  [[nodiscard]] std::int64_t version() const { return version_; }

 private:
  Messages get(const std::string& payload) {
    const Json request = payload.empty() ? Json::object() : Json::parse(payload);
    if (!exists_)
      return {
          rejected("get", 404, "No shadow exists with name: 'glimpse'", request.value("clientToken", ""))};
    Json state = state_, metadata = metadata_;
    if (!delta().empty()) state["delta"] = delta();
    return {message("get/accepted", request, {{"state", state}, {"metadata", metadata}})};
  }

  Messages update(const std::string& payload) {
    if (payload.size() > 8192)
      return {rejected("update", 413, "The payload exceeds the maximum size allowed", "")};
    const Json request = Json::parse(payload, nullptr, false);
    if (!request.is_object()) return {rejected("update", 400, "Invalid JSON", "")};
    const std::string token = request.value("clientToken", "");
    if (token.size() > 64) return {rejected("update", 400, "Invalid clientToken", "")};
    if (!fails_with.is_null()) return {rejected("update", fails_with["code"], fails_with["message"], token)};
    if (!request.contains("state")) return {rejected("update", 400, "Missing required node: state", token)};
    for (const char* part : {"desired", "reported"}) {
      if (request["state"].contains(part) && !request["state"][part].is_object() &&
          !request["state"][part].is_null())
        return {rejected("update", 400, std::string(part) + " node must be an object", token)};
    }
    if (request.contains("version") && request["version"] != version_)
      return {rejected("update", 409, "Version conflict", token)};
    const Json previous{{"state", state_}, {"version", version_}};
    Json merged = state_;
    merge(merged, request["state"]);
    if (merged.dump().size() > 8192)
      return {rejected("update", 413, "The payload exceeds the maximum size allowed", token)};
    if (!exists_ && time_s - removed_s_ > 48 * 3600) version_ = 0;
    exists_ = true;
    state_ = merged;
    stamp(metadata_, request["state"]);
    ++version_;
    Json stamps = Json::object();
    stamp(stamps, request["state"]);
    Messages messages{
        message("update/accepted", request, {{"state", request["state"]}, {"metadata", stamps}})};
    if (const Json now = delta(); !now.empty()) {
      Json of_delta = Json::object();
      for (const auto& [key, value] : now.items()) of_delta[key] = metadata_["desired"][key];
      messages.push_back(message("update/delta", request, {{"state", now}, {"metadata", of_delta}}));
    }
    const Json current{{"state", state_}, {"version", version_}};
    messages.push_back(message("update/documents", request, {{"previous", previous}, {"current", current}}));
    return messages;
  }

  /// "Fields with a value of null are removed", sections too.
  static void merge(Json& into, const Json& from) {
    for (const auto& [key, value] : from.items()) {
      if (value.is_null()) {
        into.erase(key);
      } else if (value.is_object()) {
        if (!into[key].is_object()) into[key] = Json::object();
        merge(into[key], value);
      } else {
        into[key] = value;
      }
    }
  }

  void stamp(Json& into, const Json& from) const {
    for (const auto& [key, value] : from.items()) {
      if (value.is_null()) {
        into.erase(key);
      } else if (value.is_object()) {
        if (!into[key].is_object()) into[key] = Json::object();
        stamp(into[key], value);
      } else {
        into[key] = {{"timestamp", time_s}};
      }
    }
  }

  /// "only the desired attributes that differ between the desired and reported sections"
  static Json difference(const Json& desired, const Json& reported) {
    Json found = Json::object();
    for (const auto& [key, value] : desired.items()) {
      if (!reported.contains(key)) {
        found[key] = value;
      } else if (value.is_object() && reported[key].is_object()) {
        if (Json inner = difference(value, reported[key]); !inner.empty()) found[key] = inner;
      } else if (value != reported[key]) {
        found[key] = value;
      }
    }
    return found;
  }

  glimpse::Message message(const std::string& topic, const Json& request, Json body) const {
    body["version"] = version_;
    body["timestamp"] = time_s;
    if (request.contains("clientToken")) body["clientToken"] = request["clientToken"];
    return {prefix + topic, body.dump()};
  }
  glimpse::Message rejected(const std::string& request, int code, const std::string& text,
                            const std::string& token) const {
    Json body{{"code", code}, {"message", text}, {"timestamp", time_s}};
    if (!token.empty()) body["clientToken"] = token;
    return {prefix + request + "/rejected", body.dump()};
  }

  Json state_ = Json::object(), metadata_ = Json::object();
  bool exists_ = false;
  std::int64_t version_ = 0, removed_s_ = 0;
};
