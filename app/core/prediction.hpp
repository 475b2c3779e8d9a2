// One guess of the network.
#pragma once

#include <string>

namespace glimpse {

struct Prediction {
  int index = 0;  // of the network's output
  std::string label;
  double probability = 0;  // softmax of the logits
};

}  // namespace glimpse
