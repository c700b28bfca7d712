/** The brokers that the environment names, for figures that need a real Kafka; undefined without them. */
export const kafkaBrokers = process.env.HOPPER_KAFKA_BROKERS?.split(',')
/** The same for a real Cassandra. */
export const cassandraContactPoints = process.env.HOPPER_CASSANDRA_CONTACT_POINTS?.split(',')
