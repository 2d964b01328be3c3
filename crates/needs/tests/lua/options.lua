-- needed: net tmr
-- undefined: NET_PING_ENABLE TIMER_SUSPEND_ENABLE
net.ping("host", 1, print) --> name-disabled
tmr.suspend_all() --> name-disabled
tmr.create():suspend() --> name-disabled
tmr.create():start()
