/* What is printed at the start, for the person in front of the terminal. */
#ifndef MCU_WELCOME_H
#define MCU_WELCOME_H

/* The addresses by which others on the network reach the page. */
void welcome_network_addresses(int https_port);

#endif
