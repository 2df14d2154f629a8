// The one place where Boost.Asio and Boost.JSON are compiled; every other file includes declarations only.
#include <boost/asio/impl/src.hpp>
#include <boost/json/src.hpp>
