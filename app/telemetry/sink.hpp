// Where records go: the console, standard output, a broker.
#pragma once

#include "telemetry/record.hpp"

namespace glimpse {

class Sink {
 public:
  virtual ~Sink() = default;
  /// Called once for each record, in order of seq, from one thread at a time. Must not wait for a network.
  virtual void accept(const Record& record) = 0;
};

}  // namespace glimpse
