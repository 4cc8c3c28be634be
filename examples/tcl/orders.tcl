# An order book that is kept: a stream of orders, published with a window, worked off by a consumer, and read again in
# order: tclsh orders.tcl ?stream?
package require polynats

if {[lindex $argv 0] in {-h --help}} {
    puts "usage: tclsh orders.tcl ?stream?"
    exit
}
set name [expr {$argc > 0 ? [lindex $argv 0] : "ORDERS"}]
set nc [polynats connect]
set js [$nc jetstream]
set stream [$js create_stream -name $name -subjects [list $name.>] -storage memory]

set publisher [$js publisher -max_pending 100] ;# up to 100 under way
for {set number 1} {$number < 6} {incr number} {
    $publisher publish $name.new "order $number" -msg_id $number
}
$publisher publish $name.new "order 5, sent twice" -msg_id 5
$publisher flush
set stats [$publisher stats]
puts "stored [expr {[dict get $stats acked] - [dict get $stats duplicates]}]"
$publisher close

set desk [$stream create_consumer -durable_name desk -ack_wait 30]
foreach msg [$desk fetch -max 3 -wait 5] {
    puts "done: [dict get $msg data]"
    $nc ack_sync $msg
}
puts "left for the desk: [dict get [$desk info] num_pending]"

set ack [$js publish $name.closed book -expect_last_seq 5] ;# nobody was quicker
set ordered [$stream ordered_consumer]
foreach msg [$ordered fetch -max [dict get $ack seq] -wait 5] {
    lassign [split [dict get $msg subject] .] - kind
    puts "[dict get $msg metadata stream_seq] $kind [dict get $msg data]"
}
$stream delete
$nc close
