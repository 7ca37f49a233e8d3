// The tests judge what is written with a strict parser; it is compiled once, here.
#include <boost/json/src.hpp>
