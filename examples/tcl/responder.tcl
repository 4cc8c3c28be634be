# Answers requests, by a callback: tclsh responder.tcl ?subject? ?how many?
package require polynats

if {[lindex $argv 0] in {--help -h}} {
    puts "usage: tclsh responder.tcl ?subject? ?how many?"
    exit
}

lassign [concat $argv [lrange {svc.upper -1} $argc end]] subject left
fconfigure stdout -buffering line

proc answer {nc msg} {
    $nc respond $msg [string toupper [dict get $msg data]]
    if {[incr ::left -1] == 0} {
        $nc stop
    }
}

set nc [polynats connect]
$nc subscribe $subject -queue responders -command [list answer $nc]
$nc flush -timeout 5
puts "answering on $subject"
$nc run ;# or `vwait forever`, or Tk: callbacks come from the event loop
$nc flush -timeout 5
$nc close
