-- nothing
--[==[ at
all ]==]