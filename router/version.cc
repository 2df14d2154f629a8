#include "router/version.h"
