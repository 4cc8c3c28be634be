# JetStream in the event loop: a coroutine publishes orders, a command works them off as they come.
# tclsh event_loop_orders.tcl ?how many?
package require polynats

if {[lindex $argv 0] in {--help -h}} {
    puts "usage: tclsh event_loop_orders.tcl ?how many?"
    exit
}

set left [lindex [concat $argv 3] 0]
set nc [polynats connect]
set js [$nc jetstream]
set stream [$js create_stream {name LOOP_ORDERS subjects loop.orders.> storage memory}]
set consumer [$stream create_consumer {durable_name desk}]

proc work {msg} {
    puts "done: [dict get $msg data]"
    $::nc ack $msg
    if {[incr ::left -1] == 0} {
        set ::finished 1
    }
}

proc order {js count} {
    for {set i 1} {$i <= $count} {incr i} {
        after 20 [info coroutine]
        yield
        $js publish loop.orders.new "order $i" -msg_id $i ;# waits for the ack, and the loop turns
    }
}

$consumer consume -command work ;# asks for more by itself, without end
coroutine orders order $js $left
vwait finished
$stream delete
$nc close
