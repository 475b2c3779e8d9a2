#include "telemetry/link/paho_session.hpp"

namespace glimpse {

LinkFault refusal(PahoSession::Outcome outcome, const Endpoint& endpoint, const std::string& device) {
  const std::string server = "the broker at " + endpoint.text();
  switch (outcome) {
    case 1:
      return {LinkProblem::broker_refused, server + " does not speak MQTT 3.1.1; update it"};
    case 2:
      return {LinkProblem::client_id_refused, server + " refuses the client id '" + device +
                                                  "'; give the name it knows this device by with --device"};
    case 3:
      return {LinkProblem::broker_refused,
              server + " says it is not available now; it is tried again by itself"};
    case 4:
    case 5:
      return {LinkProblem::not_authorised,
              server + " does not let '" + device +
                  "' in (not authorised); check that its certificate is active and its "
                  "policy allows this client id to connect"};
    default:
      return {LinkProblem::unreachable, server +
                                            " hung up before it was ready (paho: " + std::to_string(outcome) +
                                            "); it is tried again by itself, see the broker's log"};
  }
}

}  // namespace glimpse
